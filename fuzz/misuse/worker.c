#include "worker.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static struct {
    pthread_t thread;
    bool is_running;
    sem_t begin;
    sem_t done;
    void (*task)(const void *argument); /* NULL: end */
    const void *argument;
} worker;

static void *serve(void *unused)
{
    (void)unused;
    for (;;) {
        sem_wait(&worker.begin);
        if (worker.task == NULL)
            return NULL;
        worker.task(worker.argument);
        sem_post(&worker.done);
    }
}

void worker_run(void (*task)(const void *argument), const void *argument)
{
    if (!worker.is_running) {
        sem_init(&worker.begin, 0, 0);
        sem_init(&worker.done, 0, 0);
        if (pthread_create(&worker.thread, NULL, serve, NULL) != 0)
            abort();
        worker.is_running = true;
    }
    worker.task = task;
    worker.argument = argument;
    sem_post(&worker.begin);
    sem_wait(&worker.done);
}

void worker_end(void)
{
    if (!worker.is_running)
        return;
    worker.task = NULL;
    sem_post(&worker.begin);
    pthread_join(worker.thread, NULL);
    worker.is_running = false;
}
