/* What the thread cache target holds, and what must be true of it. */
#ifndef SG_FUZZ_TIERS_THREAD_HEAP_H
#define SG_FUZZ_TIERS_THREAD_HEAP_H

#include "thread_cache.h"

#define THREADS 3u
#define HELD_MAX 2048u                  /* of a class */
#define FREE_LEASE_BYTES ((size_t)2048) /* as in thread_registry.c */
#define LEASE_STEP_BYTES (32 * KIB)

struct thread_heap {
    struct free_slot slots[CLASS_COUNT][HELD_MAX];
    uint32_t counts[CLASS_COUNT];
    size_t bytes;
    bool attacks;
};

extern struct thread_cache threads[THREADS];
extern struct thread_heap held;

/* Every slot is in one place, bins are within their bounds, and so are all together. */
void thread_heap_check(void);

#endif
