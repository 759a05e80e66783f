#include "misuse.h"

#include <cstdlib>
#include <pthread.h>
#include <semaphore.h>

static struct worker {
    pthread_t thread;
    sem_t wanted, done;
    void (*body)(scene &);
    scene *of;
} workers[WORKERS];

static void *worker_main(void *pointer)
{
    auto *self = static_cast<worker *>(pointer);

    for (;;) {
        sem_wait(&self->wanted);
        if (self->body == nullptr)
            return nullptr;
        self->body(*self->of);
        sem_post(&self->done);
    }
}

void workers_start()
{
    for (worker &one : workers) {
        sem_init(&one.wanted, 0, 0);
        sem_init(&one.done, 0, 0);
        if (pthread_create(&one.thread, nullptr, worker_main, &one) != 0)
            abort();
    }
}

void worker_run(int index, void (*body)(scene &), scene &scene)
{
    workers[index].body = body;
    workers[index].of = &scene;
    sem_post(&workers[index].wanted);
    sem_wait(&workers[index].done);
}

void worker_end(int index)
{
    workers[index].body = nullptr;
    sem_post(&workers[index].wanted);
    pthread_join(workers[index].thread, nullptr);
}
