/* What the files of the debug heap share. */
#ifndef SG_DEBUG_DEBUG_STATE_H
#define SG_DEBUG_DEBUG_STATE_H

#include "lifecycle.h"
#include "options.h"
#include "os_thread.h"
#include "record.h"

static inline bool debug_is_guard(void)
{
    return sg_options.profile == PROFILE_GUARD;
}

/* Of the calling thread, in the order of their first calls, from 1. */
HIDDEN uint16_t sg_debug_thread(void);

/* Of all frees so far. Relaxed: a statistic. */
extern HIDDEN _Atomic uint64_t sg_debug_frees;

/* One more, and how many that makes. With one thread not as one step: that would wait until all
 * that was written before is out; a signal handler in between may then get the same number. */
static inline uint64_t debug_count(_Atomic uint64_t *counter)
{
    if (UNLIKELY(!sg_os_is_single_threaded()))
        return atomic_fetch_add_explicit(counter, 1, memory_order_relaxed) + 1;
    uint64_t count = load_relaxed(counter) + 1;
    store_relaxed(counter, count);
    return count;
}

/* The raw block of the tiers around what the program is to get. */
struct raw_block {
    void *raw;
    uintptr_t start; /* of the program's block */
    uint32_t front_bytes;
    uint32_t behind_bytes;
    bool is_zeroed;
};

struct making {
    size_t bytes;
    size_t alignment; /* a power of two */
    uint8_t maker;
    bool zeroed;
    const char *function;
};

/* False: no memory. The first in the profile debug, the second in guard. */
HIDDEN MUST_USE bool sg_raw_take(const struct making *making, struct raw_block *ret_raw);
HIDDEN MUST_USE bool sg_raw_take_guarded(const struct making *making, struct raw_block *ret_raw);

/* Ends the raw block of a record that is retired right after. */
HIDDEN void sg_raw_give(const struct record *record);

/* Whether its memory becomes inaccessible when it is given back: then it need not be held. */
HIDDEN bool sg_raw_closes(const struct record *record);

/* Freed blocks that wait, oldest first. Puts `record`, whose state is FREED, behind the others;
 * those that must leave then are looked at and given back. */
HIDDEN void sg_hold_put(struct record *record);

HIDDEN void sg_hold_fork(enum fork_step step); /* see lifecycle.h */

/* Whether a number was made of the bytes that freed blocks are filled with, or is not far behind
 * one. */
HIDDEN bool sg_debug_is_filling(uint64_t value);

/* Looks at what should not have changed, and reports. Only the owner of a BUSY record may call.
 * The damage is repaired if the report lets the program go on. */
HIDDEN void sg_debug_check_live(const struct record *record, const char *function,
                                const char *found);
HIDDEN void sg_debug_check_freed(const struct record *record, const char *found);

#endif
