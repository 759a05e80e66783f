/* What a thread of the debug heap keeps to itself, so that shared queues are worked on for many
 * blocks at once: blocks that it freed and that are not in the quarantine's queue yet, and records
 * that nobody else may take. */
#ifndef SG_DEBUG_MAGAZINE_H
#define SG_DEBUG_MAGAZINE_H

#include "number_queue.h"

#define MAGAZINE_ENTRIES 32u

struct record;

struct magazine {
    /* The thread is at work with it: for the signal handler that interrupts that, which goes
     * without. Relaxed, with signal fences. */
    _Atomic bool is_busy;
    uint32_t held_count;
    uint32_t fresh_count;
    uint64_t held_bytes;
    struct queue_entry held[MAGAZINE_ENTRIES];
    struct record *fresh[MAGAZINE_ENTRIES];
};

/* The calling thread's; NULL: it has none now. */
HIDDEN MUST_USE struct magazine *sg_magazine_enter(void);

static inline void magazine_leave(struct magazine *magazine)
{
    atomic_signal_fence(memory_order_seq_cst);
    store_relaxed(&magazine->is_busy, false);
}

/* All that is in it goes to the queues that all threads share. Weak: captures do without it. */
__attribute__((weak)) HIDDEN void sg_magazine_empty(struct magazine *magazine);

#endif
