/* Many threads allocate once each and then sleep, all alive at the same time.
 *
 *     sleeping_threads keep|free|burst THREADS
 *
 * keep, free: one block of 16 to 1,024 bytes each. burst: 64 blocks each, all freed, which is what
 * fills a thread cache. Prints "name value" lines; the runner compares them with glibc's. */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "resident.h"
#include "which_malloc.h"

enum { STACK_BYTES = 64 << 10, BURST = 64, MOST_THREADS = 100000 };

static pthread_t threads[MOST_THREADS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrival = PTHREAD_COND_INITIALIZER, release = PTHREAD_COND_INITIALIZER;
static size_t arrived; /* lock */
static bool released;  /* lock */
static atomic_size_t failures;
static size_t blocks_each = 1;
static bool keep;

static void *take(size_t thread, size_t turn)
{
    size_t bytes = 16 + (thread * 16 + turn * 128) % 1009;
    volatile char *block = malloc(bytes);

    if (block == NULL)
        atomic_fetch_add(&failures, 1);
    else
        block[0] = block[bytes - 1] = 1;
    return (void *)block;
}

static void wait_for_release(void)
{
    pthread_mutex_lock(&lock);
    arrived++;
    pthread_cond_signal(&arrival);
    while (!released)
        pthread_cond_wait(&release, &lock);
    pthread_mutex_unlock(&lock);
}

static void *allocate_and_sleep(void *argument)
{
    size_t thread = (size_t)argument;
    void *blocks[BURST];

    for (size_t i = 0; i < blocks_each; i++)
        blocks[i] = take(thread, i);
    for (size_t i = 0; i < blocks_each && !keep; i++)
        free(blocks[i]);
    wait_for_release();
    for (size_t i = 0; i < blocks_each && keep; i++)
        free(blocks[i]);
    return NULL;
}

static size_t start_threads(size_t wanted)
{
    pthread_attr_t attributes;
    size_t started = 0;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    while (started < wanted &&
           pthread_create(&threads[started], &attributes, allocate_and_sleep, (void *)started) == 0)
        started++;
    pthread_attr_destroy(&attributes);
    return started;
}

static void wait_for_arrivals(size_t count)
{
    pthread_mutex_lock(&lock);
    while (arrived < count)
        pthread_cond_wait(&arrival, &lock);
    pthread_mutex_unlock(&lock);
}

static void release_and_join(size_t count)
{
    pthread_mutex_lock(&lock);
    released = true;
    pthread_cond_broadcast(&release);
    pthread_mutex_unlock(&lock);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
    size_t wanted = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;

    if (wanted == 0 || wanted > MOST_THREADS)
        return 2;
    keep = strcmp(argv[1], "keep") == 0;
    blocks_each = strcmp(argv[1], "burst") == 0 ? BURST : 1;

    size_t before = resident_bytes();
    size_t started = start_threads(wanted);

    wait_for_arrivals(started);
    size_t asleep = resident_bytes(), cached = mallinfo2().fsmblks;

    release_and_join(started);
    printf("malloc from %s\n", which_malloc());
    printf("threads %zu\nfailures %zu\n", started, atomic_load(&failures));
    printf("before %zu\nasleep %zu\njoined %zu\n", before, asleep, resident_bytes());
    printf("cached %zu\n", cached);
    return 0;
}
