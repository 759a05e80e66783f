/* Threads that keep the allocator (or more) busy until they are told to stop. */
#ifndef SG_INTERFACE_THREADS_H
#define SG_INTERFACE_THREADS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_bool threads_stop;

/* One round of small, middle and large blocks; false when a block lost its content. */
static inline bool allocate_a_round(unsigned round)
{
    static const size_t sizes[] = {16, 200, 3000, 50000, 300000};
    bool whole = true;

    for (int i = 0; i < 5; i++) {
        size_t bytes = sizes[i] + round % 61;
        unsigned char *block = malloc(bytes);

        if (block == NULL)
            return false;
        block[0] = block[bytes - 1] = (unsigned char)round;
        block = realloc(block, bytes + 40);
        whole &= block != NULL && block[0] == (unsigned char)round;
        free(block);
    }
    return whole;
}

static inline void *allocate_until_told(void *unused)
{
    for (unsigned round = 0; !atomic_load(&threads_stop); round++) {
        if (!allocate_a_round(round))
            abort();
        if (round % 32 == 0) /* leaves the others some of the processor */
            usleep(100);
    }
    return unused;
}

static inline void threads_start(pthread_t *threads, int count, void *(*run)(void *))
{
    atomic_store(&threads_stop, false);
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, run, NULL) != 0)
            abort();
}

static inline void threads_end(pthread_t *threads, int count)
{
    atomic_store(&threads_stop, true);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

#endif
