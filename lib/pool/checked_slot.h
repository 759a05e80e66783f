/* What happens to the content of a slot on its way out and on its way back: see policy.h, content.h
 * and canary.h. With all of these defences off, nothing.
 *
 * The caller holds the slot: it is in no cache and its state says neither live nor free yet. */
#ifndef SG_POOL_CHECKED_SLOT_H
#define SG_POOL_CHECKED_SLOT_H

#include "canary.h"
#include "content.h"
#include "policy.h"
#include "slot.h"
#include "span.h"
#include "thread_cache.h"

/* P202. */
HIDDEN _Noreturn void sg_slot_report_content(const char *slot, size_t class);

/* P101 or P103; but P203 if the slot is not live any more: then another thread is freeing it at
 * this moment, and that is what damaged the canary. */
HIDDEN _Noreturn void sg_slot_report_damage(const char *slot, size_t class,
                                            const slot_state_byte *state, const char *function);

/* Whether the slot is as it was left when it became free. */
static ALWAYS_INLINE bool slot_content_is_whole(const char *slot, const struct class_policy *policy,
                                                uint8_t state)
{
    if (!sg_policy.checks_content)
        return true;
    if (LIKELY(policy->is_cleared) || state == SLOT_CACHED_WIPED)
        return content_is_clear(slot, policy->slot_bytes);
    return !policy->has_edges || state == SLOT_CACHED_ZERO || /* that would touch its pages */
           content_edges_are_clear(slot, policy->slot_bytes);
}

/* Whether all of it is known to read as zero. */
static inline bool slot_is_known_zero(size_t class, uint8_t state)
{
    return state == SLOT_CACHED_ZERO ||
           (sg_policy.checks_content &&
            (sg_class_policy[class].is_cleared || state == SLOT_CACHED_WIPED));
}

/* Where nothing else of a slot that was never handed out is looked at: its canary goes there. */
static inline bool slot_place_is_clear(const char *end, const struct taken_slot *taken,
                                       size_t slack)
{
    return !sg_policy.checks_content || taken->state != SLOT_CACHED_ZERO ||
           canary_place_is_clear(end, slack);
}

/* Looks at the content and writes the canary behind the `bytes` of the program. */
static ALWAYS_INLINE void slot_open(const struct taken_slot *taken, size_t class, size_t bytes)
{
    const struct class_policy *policy = &sg_class_policy[class];
    char *slot = taken->slot;
    char *end = slot + policy->slot_bytes;

    if (UNLIKELY(!slot_content_is_whole(slot, policy, taken->state)))
        sg_slot_report_content(slot, class);
    if (LIKELY(policy->canary_bytes > 0)) {
        size_t slack = policy->slot_bytes - CANARY_BYTES - bytes;

        if (UNLIKELY(!slot_place_is_clear(end, taken, slack)))
            sg_slot_report_content(slot, class);
        if (UNLIKELY(!slot_is_known_zero(class, taken->state)))
            canary_clear_slack(end, slack);
        canary_write(end, slack);
    }
    /* Release: whoever finds the slot live finds it complete. Costs nothing on x86-64. */
    atomic_thread_fence(memory_order_release);
}

/* Into the quarantine of the thread's own cache, which is not hidden, or where there is room. */
static ALWAYS_INLINE void slot_keep(struct thread_cache *cache, size_t class, struct free_slot slot)
{
    thread_cache_hide();
    bool kept = thread_cache_quarantine(cache, class, slot);

    thread_cache_show(cache);
    if (UNLIKELY(!kept))
        sg_thread_cache_overflow(cache, (uint32_t) class, slot);
}

/* As slot_open(), a call: what is rare stays out of the hot path. */
HIDDEN void sg_slot_open(const struct taken_slot *taken, size_t class, size_t bytes);

/* The usual kind of a slot whose edges only are cleared; false for every other. */
static ALWAYS_INLINE bool slot_open_edges(const struct taken_slot *taken,
                                          const struct class_policy *policy, size_t bytes)
{
    char *slot = taken->slot;
    char *end = slot + policy->slot_bytes;
    size_t slack = policy->usable_bytes - bytes;

    if (UNLIKELY(policy->way != WAY_EDGES) || UNLIKELY(taken->state != SLOT_CACHED) ||
        UNLIKELY(!content_edges_are_clear(slot, policy->slot_bytes)))
        return false;
    if (slack >= CANARY_SLACK_BYTES) /* a shorter one lies within the edge */
        canary_clear_slack(end, slack);
    canary_write(end, slack);
    atomic_thread_fence(memory_order_release); /* as in slot_open() */
    return true;
}

/* Any block, 1 to SMALL_MAX_BYTES, with any choice of defences, out of the thread's own cache; NULL
 * for the slow way. */
static ALWAYS_INLINE void *slot_make(size_t bytes, uint8_t maker)
{
    struct thread_cache *cache = sg_thread_cache_self;
    struct taken_slot taken;

    if (UNLIKELY(bytes - 1 >= SMALL_MAX_BYTES || cache == NULL) ||
        UNLIKELY(thread_cache_count_sample(cache, sample_weight(bytes)) < 0))
        return NULL;

    size_t class = size_class_of(policy_slot_bytes(bytes));
    thread_cache_hide();
    bool is_taken = thread_cache_take(cache, class, &taken);
    thread_cache_show(cache);
    if (UNLIKELY(!is_taken))
        return NULL;
    if (UNLIKELY(!slot_open_edges(&taken, &sg_class_policy[class], bytes))) {
        struct taken_slot copy = taken; /* so that the other stays in registers */

        sg_slot_open(&copy, class, bytes);
    }
    store_relaxed(taken.state_byte, maker);
    return taken.slot;
}

/* What a call of free() and its like says of the block that it ends. */
struct end_call {
    const char *function;
    uint8_t maker;
};

/* The rest of a free of any slot with any choice of defences, once its state was found to be that
 * of `ending`. What is wrong is reported. */
HIDDEN void sg_slot_end(void *slot, slot_state_byte *state, const struct span *span,
                        const struct end_call *ending);

/* Whether nobody wrote behind what the program asked for; `*ret_bytes` is how much that was. The
 * class has canaries. */
static ALWAYS_INLINE bool slot_canary_is_whole(const char *slot, const struct class_policy *policy,
                                               size_t *ret_bytes)
{
    size_t slack;
    bool is_whole = canary_is_whole(slot + policy->slot_bytes, policy->usable_bytes, &slack);

    *ret_bytes = policy->usable_bytes - slack;
    return is_whole;
}

/* Whether it is a block of `bytes` that nobody wrote behind; false if that is not known. */
static ALWAYS_INLINE bool slot_is_of(const char *slot, const struct class_policy *policy,
                                     size_t bytes)
{
    size_t found;

    return policy->canary_bytes > 0 && slot_canary_is_whole(slot, policy, &found) && found == bytes;
}

static ALWAYS_INLINE bool slot_is_undamaged(const char *slot, const struct class_policy *policy,
                                            size_t *ret_bytes)
{
    if (LIKELY(policy->canary_bytes > 0))
        return slot_canary_is_whole(slot, policy, ret_bytes);
    *ret_bytes = policy->usable_bytes;
    return true;
}

/* The live block of `bytes` from now on, where it is. What it gives up becomes slack. */
static inline void slot_resize(char *slot, size_t class, size_t bytes)
{
    const struct class_policy *policy = &sg_class_policy[class];
    char *end = slot + policy->slot_bytes;

    if (policy->canary_bytes == 0)
        return;
    canary_clear_slack(end, policy->usable_bytes - bytes);
    canary_write(end, policy->usable_bytes - bytes);
}

/* Beyond what is cleared always: edges, and now and then all of it. Returns the state to store. */
static ALWAYS_INLINE uint8_t slot_clear_edges(struct thread_cache *cache, char *slot,
                                              const struct class_policy *policy)
{
    if (!policy->has_edges)
        return SLOT_CACHED;
    if (cache != &sg_thread_cache_none &&
        UNLIKELY(thread_cache_random(cache) >> (64 - WIPE_CHANCE_BITS) < policy->wipe_chance)) {
        __builtin_memset(slot, 0, policy->slot_bytes);
        return SLOT_CACHED_WIPED;
    }
    content_clear_edges(slot, policy->slot_bytes);
    return SLOT_CACHED;
}

/* Clears the slot, whose state is not live any more. Returns the state to store. */
static ALWAYS_INLINE uint8_t slot_clear(struct thread_cache *cache, char *slot, size_t class)
{
    const struct class_policy *policy = &sg_class_policy[class];

    if (UNLIKELY(!policy->is_cleared))
        return slot_clear_edges(cache, slot, policy);
    content_clear(slot, policy->slot_bytes);
    return SLOT_CACHED;
}

#endif
