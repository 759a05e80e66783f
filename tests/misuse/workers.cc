#include "misuse.h"

#include <cstdlib>
#include <pthread.h>
#include <semaphore.h>

static struct worker {
    pthread_t thread;
    sem_t wanted, done;
    void (*body)(scene &);
    scene *of;
    bool is_running;
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

static void start(worker &one)
{
    one.is_running = true;
    sem_init(&one.wanted, 0, 0);
    sem_init(&one.done, 0, 0);
    if (pthread_create(&one.thread, nullptr, worker_main, &one) != 0)
        abort();
}

void workers_start()
{
    for (worker &one : workers)
        if (!one.is_running)
            start(one);
}

void workers_end()
{
    for (int index = 0; index < WORKERS; index++)
        worker_end(index);
}

void worker_start(int index, void (*body)(scene &), scene &scene)
{
    workers[index].body = body;
    workers[index].of = &scene;
    sem_post(&workers[index].wanted);
}

void worker_wait(int index)
{
    sem_wait(&workers[index].done);
}

void worker_run(int index, void (*body)(scene &), scene &scene)
{
    worker_start(index, body, scene);
    worker_wait(index);
}

void worker_end(int index)
{
    if (!workers[index].is_running)
        return;
    workers[index].body = nullptr;
    sem_post(&workers[index].wanted);
    pthread_join(workers[index].thread, nullptr);
    workers[index].is_running = false;
}
