/* The same two paths as in fast_path.h with the defences of content: canary, cleared slots,
 * quarantine, guarded samples. Every profile but `fast` goes here.
 *
 * Small slots with all of these on stay in registers; whatever else there is leaves by a jump, so
 * that nothing has to be saved on the stack for it. */
#ifndef SG_API_CHECKED_PATH_H
#define SG_API_CHECKED_PATH_H

#include "checked_slot.h"
#include "compiler.h"
#include "page_map.h"
#include "span.h"
#include "thread_cache.h"

/* The class for `bytes`, 1 to SMALL_MAX_BYTES. */
static ALWAYS_INLINE size_t checked_class_of(size_t bytes)
{
    size_t slot_bytes = bytes + sg_policy.canary_bytes;

    if (LIKELY(slot_bytes <= CLASS_DIRECT_MAX_BYTES))
        return size_class_direct(slot_bytes);
    return size_class_of(policy_slot_bytes(bytes));
}

/* A block of `bytes`, or NULL for the slow way, which also takes the samples. */
static ALWAYS_INLINE void *checked_allocate(size_t bytes, uint8_t maker)
{
    struct thread_cache *cache = sg_thread_cache_self;
    struct taken_slot taken;

    /* No bytes wrap around and leave too. */
    if (UNLIKELY(bytes - 1 >= SMALL_MAX_BYTES || cache == NULL) || UNLIKELY(cache->sample_left < 0))
        return NULL;

    size_t class = checked_class_of(bytes);
    const struct class_policy *policy = &sg_policy.classes[class];
    thread_cache_hide();
    bool is_taken = thread_cache_take(cache, class, &taken);
    thread_cache_show(cache);
    if (UNLIKELY(!is_taken))
        return NULL;
    cache->sample_left -= sample_weight(bytes);

    char *slot = taken.slot;
    char *end = slot + policy->slot_bytes;
    if (LIKELY(policy->way == WAY_CLEARED)) {
        if (UNLIKELY(!content_is_clear(slot, policy->slot_bytes)))
            return sg_slot_open(taken, class, bytes, maker); /* reports what was found */
    } else if (policy->way != WAY_EDGES || taken.state != SLOT_CACHED ||
               !content_edges_are_clear(slot, policy->slot_bytes)) {
        return sg_slot_open(taken, class, bytes, maker);
    } else {
        canary_clear_slack(end, policy->usable_bytes - bytes);
    }
    canary_write(end, policy->usable_bytes - bytes);
    atomic_thread_fence(memory_order_release); /* as in slot_open() */
    store_relaxed(taken.state_byte, maker);
    if (slot == NULL)
        __builtin_unreachable(); /* spares the caller a second test for NULL */
    return slot;
}

/* Ends a call of free() and its like: proves, clears and takes a block of `maker`, of `stated`
 * bytes unless that is BYTES_ANY. False, with nothing changed: the slow way. */
#define BYTES_ANY SIZE_MAX

static ALWAYS_INLINE bool checked_free(void *object, uint8_t maker, size_t stated)
{
    struct thread_cache *cache = sg_thread_cache_self;
    struct span *span = page_map_lookup_near((uintptr_t)object);
    size_t bytes;

    if (UNLIKELY(span == NULL || cache == NULL))
        return false;

    uint64_t index = slot_index(&span->slots, object);
    if (UNLIKELY(index >= span->slots.slot_count))
        return false;

    size_t class = span->slots.class;
    const struct class_policy *policy = &sg_policy.classes[class];
    slot_state_byte *state = &span->slots.states[index];
    if (UNLIKELY(load_relaxed(state) != maker) ||
        UNLIKELY(policy->way == WAY_SINGLE) || /* large ones too */
        UNLIKELY(!slot_is_undamaged(object, policy, &bytes)) ||
        (stated != BYTES_ANY && UNLIKELY(bytes != stated)))
        return false;

    /* Release: who finds the canary gone must find the state changed, see checked_slot.h. */
    store_relaxed(state, SLOT_CACHED);
    atomic_thread_fence(memory_order_release);
    struct free_slot freed = {object, state};
    if (LIKELY(policy->way == WAY_CLEARED)) {
        content_clear(object, policy->slot_bytes);
        sg_slot_keep(cache, class, freed);
    } else {
        sg_slot_give_edges(cache, class, freed);
    }
    return true;
}

#endif
