/* The shapes that one thread runs alone. */
#include "pairs.h"

__attribute__((noinline)) size_t run_same(struct workload *work, size_t pairs)
{
    for (size_t i = 0; i < pairs; i++)
        free(take_block(work->block_bytes));
    return pairs;
}

/* Fills the queue to its length, then empties it from its old end: every block passes through
 * whatever lies behind the allocator's innermost cache. */
__attribute__((noinline)) size_t run_fifo(struct workload *work, size_t pairs)
{
    size_t done = 0;

    for (; done < pairs; done += work->live_count) {
        fill_live(work);
        drain_live(work);
    }
    return done;
}

static size_t next_index(struct workload *work)
{
    work->random ^= work->random << 13;
    work->random ^= work->random >> 7;
    work->random ^= work->random << 17;
    return (size_t)(((work->random >> 32) * work->live_count) >> 32);
}

/* Expects a filled table and leaves it filled. */
__attribute__((noinline)) size_t run_random(struct workload *work, size_t pairs)
{
    for (size_t i = 0; i < pairs; i++) {
        void **slot = &work->live[next_index(work)];

        free(*slot);
        *slot = take_block(work->block_bytes);
    }
    return pairs;
}

void fill_live(struct workload *work)
{
    for (size_t i = 0; i < work->live_count; i++)
        work->live[i] = take_block(work->block_bytes);
}

void drain_live(struct workload *work)
{
    for (size_t i = 0; i < work->live_count; i++)
        free(work->live[i]);
}

void pin_heap(struct workload *work)
{
    for (int i = 0; i < 2; i++) {
        fill_live(work);
        work->pins[i] = take_block(work->block_bytes);
        drain_live(work);
    }
}

void unpin_heap(struct workload *work)
{
    free(work->pins[0]);
    free(work->pins[1]);
}
