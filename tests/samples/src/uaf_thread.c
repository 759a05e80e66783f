/* A job is freed by the thread that started it, while the worker still writes its result. */
#include "sample.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct job {
    int input;
    int result;
    char name[40];
};

static pthread_barrier_t was_freed;

static NOINLINE void finish(struct job *job)
{
    job->result = 42; /* BUG */
}

static void *worker(void *argument)
{
    if (IS_FIXED)
        finish((struct job *)argument);
    pthread_barrier_wait(&was_freed);
    if (!IS_FIXED)
        finish((struct job *)opaque(argument));
    return NULL;
}

static NOINLINE void drop(struct job *job)
{
    free(opaque(job)); /* FREE */
}

int main(void)
{
    pthread_t thread;
    struct job *job = (struct job *)opaque(calloc(1, sizeof(*job))); /* ALLOC */

    pthread_barrier_init(&was_freed, NULL, 2);
    pthread_create(&thread, NULL, worker, job);
    if (!IS_FIXED)
        drop(job);
    pthread_barrier_wait(&was_freed);
    pthread_join(thread, NULL);
    if (IS_FIXED)
        drop(job);
    printf("done\n");
    return 0;
}
