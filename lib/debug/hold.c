/* The quarantine of the debug heap: freed blocks, filled, in the order of their frees; those that a
 * thread freed in a row may stand together. */
#include "debug_pool.h"
#include "debug_state.h"
#include "lifecycle.h"
#include "magazine.h"
#include "os_lock.h"
#include "page_map.h"
#include "redzone.h"
#include "sweep.h"

static struct {
    struct lock lock; /* RANK_DEBUG_HOLD */
    struct number_queue queue;
} hold;

#define LEAVING_MOST (2 * MAGAZINE_ENTRIES)

#define LINES_MOST 6

/* What it counts for in quarantine. */
static uint32_t weight_of(const struct record *record)
{
    return (uint32_t)(record->front_bytes + record->bytes + record->behind_bytes);
}

/* A sweep may be looking at it: it claims for some nanoseconds at a time. False: it is this
 * thread's, in the handler of a signal; the block stays as it is, for ever. */
static bool leave(struct record *record)
{
    while (!record_claim(record, RECORD_FREED))
        if (sg_sweep_await(record) == SWEEP_OWN)
            return false;
        else
            os_relax();
    sg_debug_check_freed(record, "when the block left quarantine");
    record_become(record, RECORD_GONE);
    sg_raw_give(record);
    return true;
}

/* What will be looked at, and what the next block at this place will write. */
static void prefetch_block(const struct record *record)
{
    uintptr_t address = load_relaxed(&record->start);
    const char *start = (const char *)address - record->front_bytes;
    uint32_t bytes = weight_of(record);

    for (uint32_t i = 0; i < LINES_MOST * CACHE_LINE_BYTES && i < bytes; i += CACHE_LINE_BYTES)
        __builtin_prefetch(start + i, 1);
    __builtin_prefetch((const char *)sg_record_step(address), 1);
    __builtin_prefetch(page_map_lookup((uintptr_t)start));
}

/* All of this was last touched long ago. It is asked for together, first the records and then what
 * they tell of, so that most of the waiting is for all at once. */
static void leave_all(const struct queue_entry *entries, uint32_t count)
{
    struct record *records[LEAVING_MOST];
    uint32_t gone = 0;

    for (uint32_t i = 0; i < count; i++) {
        records[i] = sg_record_of(entries[i].number);
        __builtin_prefetch(records[i], 1);
    }
    for (uint32_t i = 0; i < count; i++)
        prefetch_block(records[i]);
    for (uint32_t i = 0; i < count; i++)
        if (leave(records[i]))
            records[gone++] = records[i];
    if (gone > 0)
        sg_record_retire(records, gone);
}

/* What finds no memory for its place in the queue leaves at once. */
static uint32_t exchange(const struct queue_entry *in, uint32_t count, struct queue_entry *ret_out)
{
    uint32_t leaving = 0;

    lock_acquire(&hold.lock, RANK_DEBUG_HOLD);
    for (uint32_t i = 0; i < count; i++)
        if (UNLIKELY(!queue_push(&hold.queue, in[i])))
            ret_out[leaving++] = in[i];
    while (leaving < LEAVING_MOST && hold.queue.bytes > sg_options.quarantine)
        ret_out[leaving++] = queue_pop(&hold.queue);
    lock_release(&hold.lock, RANK_DEBUG_HOLD);
    return leaving;
}

static void put_all(const struct queue_entry *in, uint32_t count)
{
    struct queue_entry out[LEAVING_MOST];

    uint32_t leaving = exchange(in, count, out);

    leave_all(out, leaving);
    while (leaving == LEAVING_MOST) { /* a long block came, and many short ones go */
        leaving = exchange(NULL, 0, out);
        leave_all(out, leaving);
    }
}

static void put_held(struct magazine *magazine)
{
    uint32_t count = magazine->held_count;

    magazine->held_count = 0;
    magazine->held_bytes = 0;
    put_all(magazine->held, count);
}

void sg_hold_put(struct record *record)
{
    struct queue_entry entry = {record->number, weight_of(record)};
    struct magazine *magazine = sg_magazine_enter();

    if (UNLIKELY(magazine == NULL)) {
        put_all(&entry, 1);
        return;
    }
    magazine->held[magazine->held_count++] = entry;
    magazine->held_bytes += entry.bytes;
    if (magazine->held_count == MAGAZINE_ENTRIES ||
        magazine->held_bytes > sg_options.quarantine / MAGAZINE_ENTRIES)
        put_held(magazine);
    magazine_leave(magazine);
}

void sg_magazine_empty(struct magazine *magazine)
{
    if (magazine->held_count > 0)
        put_held(magazine);
    if (magazine->fresh_count > 0)
        sg_record_retire(magazine->fresh, magazine->fresh_count);
    magazine->fresh_count = 0;
}

/* What waits here is in use for the tiers, and not for the program. */
void sg_debug_statistics(struct pool_statistics *ret_statistics)
{
    sg_pool_statistics(ret_statistics);
    size_t small = ret_statistics->live_bytes - ret_statistics->large_bytes;

    lock_acquire(&hold.lock, RANK_DEBUG_HOLD);
    ret_statistics->live_bytes -= hold.queue.bytes < small ? hold.queue.bytes : small;
    lock_release(&hold.lock, RANK_DEBUG_HOLD);
}

/* What another thread was changing at the very moment of the fork is left alone from then on. So
 * are the blocks that other threads of the parent had not yet put here. */
static void abandon(void)
{
    __builtin_memset(&hold.queue, 0, sizeof(hold.queue));
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
