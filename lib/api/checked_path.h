/* The same two paths as in fast_path.h for small blocks with all defences of content: canary,
 * cleared slots, quarantine, guarded samples. Every profile but `fast` goes here.
 *
 * All of it stays in registers; whatever else there is leaves by a jump, so that nothing has to be
 * saved on the stack for it: longer blocks and other choices of defences to checked_slot.c, what is
 * rare from there to the pool. */
#ifndef SG_API_CHECKED_PATH_H
#define SG_API_CHECKED_PATH_H

#include "checked_slot.h"
#include "compiler.h"
#include "page_map.h"
#include "span.h"
#include "thread_cache.h"

/* A block of `bytes`, or NULL for the slow way, which also takes the samples. */
static ALWAYS_INLINE void *checked_allocate(size_t bytes, uint8_t maker)
{
    struct thread_cache *cache = sg_thread_cache_self;
    struct taken_slot taken;

    /* No bytes wrap around and leave too. */
    if (UNLIKELY(bytes - 1 >= sg_policy.direct_bytes || cache == NULL) ||
        UNLIKELY(thread_cache_count_sample(cache, (int64_t)bytes) < 0))
        return NULL;

    size_t class = (bytes + CANARY_BYTES + 15) / 16;
    size_t slot_bytes = class * 16;
    thread_cache_hide();
    bool is_taken = thread_cache_take(cache, class, &taken);
    thread_cache_show(cache);
    if (UNLIKELY(!is_taken))
        return NULL;

    char *slot = taken.slot;
    if (UNLIKELY(!content_is_clear(slot, slot_bytes)))
        sg_slot_report_content(slot, class);
    canary_write(slot + slot_bytes, slot_bytes - CANARY_BYTES - bytes);
    atomic_thread_fence(memory_order_release); /* as in slot_open() */
    store_relaxed(taken.state_byte, maker);
    if (slot == NULL)
        __builtin_unreachable(); /* spares the caller a second test for NULL */
    return slot;
}

/* Ends a call of free() and its like: proves, clears and takes a block, of `stated` bytes unless
 * that is BYTES_ANY. False, with nothing changed: the slow way. */
#define BYTES_ANY SIZE_MAX

static ALWAYS_INLINE bool checked_free(void *object, const struct end_call *ending, size_t stated)
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
    size_t slot_bytes = sg_class_policy[class].slot_bytes;
    const struct class_policy *policy = &sg_class_policy[class];
    slot_state_byte *state = &span->slots.states[index];
    if (UNLIKELY(load_relaxed(state) != ending->maker))
        return false;
    if (policy->way != WAY_CLEARED) {
        if (UNLIKELY(class == CLASS_LARGE) ||
            (stated != BYTES_ANY && UNLIKELY(!slot_is_of(object, policy, stated))))
            return false;
        sg_slot_end(object, state, span, ending);
        return true;
    }
    if (UNLIKELY(!slot_canary_is_whole(object, policy, &bytes)) ||
        (stated != BYTES_ANY && UNLIKELY(bytes != stated)))
        return false;

    SYNC_POINT(SYNC_HANDOVER, state); /* as in thread_cache_push() */
    /* Release: who finds the canary gone must find the state changed, see checked_slot.h. */
    store_relaxed(state, SLOT_CACHED);
    atomic_thread_fence(memory_order_release);
    content_clear(object, slot_bytes);
    slot_keep(cache, class, (struct free_slot){object, state});
    return true;
}

#endif
