/* One thread writes too far while others allocate and free. */
#include "sample.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void *busy(void *argument)
{
    for (size_t i = 0; i < 3000; i++)
        free(opaque(malloc(16 + i % 500)));
    return argument;
}

static NOINLINE int *make_counts(void)
{
    return (int *)opaque(malloc(60 * sizeof(int))); /* ALLOC */
}

static void *guilty(void *argument)
{
    int *counts = make_counts();

    for (int i = 0; i < PICK(60, 61); i++)
        counts[i] = i; /* BUG */
    busy(NULL);
    free(counts);
    return argument;
}

int main(void)
{
    pthread_t threads[3];

    pthread_create(&threads[0], NULL, busy, NULL);
    pthread_create(&threads[1], NULL, busy, NULL);
    pthread_create(&threads[2], NULL, guilty, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    printf("done\n");
    return 0;
}
