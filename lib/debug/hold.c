/* The quarantine of the debug heap: freed blocks, filled, in the order of their frees. */
#include "debug_pool.h"
#include "debug_state.h"
#include "lifecycle.h"
#include "os_lock.h"
#include "redzone.h"

static struct {
    struct lock lock; /* RANK_DEBUG_HOLD */
    uint32_t first;   /* numbers of records; 0: none */
    uint32_t last;
    uint64_t bytes;
} hold;

static uint64_t bytes_of(const struct record *record)
{
    return record->front_bytes + record->bytes + record->behind_bytes;
}

static void append(struct record *record)
{
    struct record *last = sg_record_of(hold.last);

    record->next = 0;
    if (last != NULL)
        last->next = record->number;
    else
        hold.first = record->number;
    hold.last = record->number;
    hold.bytes += bytes_of(record);
}

/* The oldest, if all together are too much; else NULL. */
static struct record *evict(void)
{
    struct record *record = sg_record_of(hold.first);

    if (record == NULL || hold.bytes <= sg_options.quarantine)
        return NULL;
    hold.first = record->next;
    if (hold.first == 0)
        hold.last = 0;
    hold.bytes -= bytes_of(record);
    return record;
}

/* A sweep may be looking at it: it claims for some nanoseconds at a time. */
static void leave(struct record *record)
{
    while (!record_claim(record, RECORD_FREED))
        os_relax();
    sg_debug_check_freed(record, "when the block left quarantine");
    struct record left = *record;
    sg_record_retire(record);
    sg_raw_give(&left);
}

#define LINES_MOST 6

/* What leaves was last touched long ago: the next call finds it in the processor's cache. The record
 * after the next is asked for now, its block when it is next. */
static void prefetch_next(void)
{
    const struct record *next = sg_record_of(hold.first);

    if (next == NULL)
        return;
    const char *start = (const char *)load_relaxed(&next->start) - next->front_bytes;
    uint64_t bytes = bytes_of(next);

    for (uint64_t i = 0; i < LINES_MOST * CACHE_LINE_BYTES && i < bytes; i += CACHE_LINE_BYTES)
        __builtin_prefetch(start + i, 1);
    const char *after = (const char *)sg_record_of(next->next);
    if (after != NULL) {
        __builtin_prefetch(after, 1);
        __builtin_prefetch(after + CACHE_LINE_BYTES, 1);
    }
}

void sg_hold_put(struct record *record)
{
    struct record *out[2];

    lock_acquire(&hold.lock, RANK_DEBUG_HOLD);
    append(record);
    out[0] = evict();
    out[1] = evict(); /* two for one: after a long block the bound is reached again soon */
    if (out[0] != NULL)
        prefetch_next();
    lock_release(&hold.lock, RANK_DEBUG_HOLD);
    for (int i = 0; i < 2; i++)
        if (out[i] != NULL)
            leave(out[i]);
}

/* What waits here is in use for the tiers, and not for the program. */
void sg_debug_statistics(struct pool_statistics *ret_statistics)
{
    sg_pool_statistics(ret_statistics);
    size_t small = ret_statistics->live_bytes - ret_statistics->large_bytes;

    lock_acquire(&hold.lock, RANK_DEBUG_HOLD);
    ret_statistics->live_bytes -= hold.bytes < small ? hold.bytes : small;
    lock_release(&hold.lock, RANK_DEBUG_HOLD);
}

/* What another thread was changing at the very moment of the fork is left alone from then on. */
static void abandon(void)
{
    hold.first = hold.last = 0;
    hold.bytes = 0;
}

/* Whether a child must abandon what the lock guards. */
static bool is_torn(struct lock *lock, enum fork_step step)
{
    if (step == FORK_REPAIR && load_relaxed(&lock->holder) == os_thread_tag())
        return false; /* what this thread is changing itself it will finish */
    return sg_lock_thaw_child(lock);
}

void sg_hold_fork(enum fork_step step)
{
    if (step == FORK_PREPARE) {
        sg_lock_freeze(&hold.lock);
        sg_lock_freeze(sg_record_lock());
    } else if (step == FORK_PARENT) {
        sg_lock_thaw_parent(sg_record_lock());
        sg_lock_thaw_parent(&hold.lock);
    } else {
        if (is_torn(sg_record_lock(), step))
            sg_record_abandon();
        if (is_torn(&hold.lock, step))
            abandon();
    }
}
