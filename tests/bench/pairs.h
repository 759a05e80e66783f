/* What one pair is, and what a shape needs to run pairs. */
#ifndef SG_BENCH_PAIRS_H
#define SG_BENCH_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum {
    MOST_LIVE = 10000,
    LAST_BYTE_LIMIT = 1024, /* a larger block is written in its first byte only */
};

/* The table of live blocks belongs to the caller and never comes from the heap under test. */
struct workload {
    size_t block_bytes;
    size_t live_count;
    void **live;
    void *pins[2];
    uint64_t random;
};

/* The writes are volatile and the pointer escapes, so that no compiler can drop the pair. */
static inline void *take_block(size_t bytes)
{
    volatile char *block = malloc(bytes);

    if (block == NULL)
        abort();
    block[0] = 1;
    if (bytes <= LAST_BYTE_LIMIT)
        block[bytes - 1] = 1;
    __asm__ volatile("" : : "r"(block) : "memory");
    return (void *)block;
}

/* Each runs at least `pairs` pairs and returns how many it ran. */
size_t run_same(struct workload *work, size_t pairs);
size_t run_fifo(struct workload *work, size_t pairs);
size_t run_random(struct workload *work, size_t pairs);

void fill_live(struct workload *work);
void drain_live(struct workload *work);

/* Leaves two blocks alive above a drained table. Without them glibc gives the top of its heap back
 * and faults it in again at every drain: the figures would be the kernel's, and every other
 * allocator would look ten times better than it is in a program that keeps anything at all. */
void pin_heap(struct workload *work);
void unpin_heap(struct workload *work);

/* Two threads that wait between chunks; `handover` joins them by a ring, one allocating and the
 * other freeing. A pair that crosses the ring is counted once. */
struct crew;
struct crew *crew_start(const struct workload *work, bool handover);
size_t crew_run(struct crew *crew, size_t pairs);
void crew_stop(struct crew *crew);

#endif
