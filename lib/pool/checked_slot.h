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
            (sg_policy.classes[class].is_cleared || state == SLOT_CACHED_WIPED));
}

/* Looks at the content and writes the canary behind the `bytes` of the program. */
static ALWAYS_INLINE void slot_open(const struct taken_slot *taken, size_t class, size_t bytes)
{
    const struct class_policy *policy = &sg_policy.classes[class];
    char *slot = taken->slot;
    char *end = slot + policy->slot_bytes;

    if (UNLIKELY(!slot_content_is_whole(slot, policy, taken->state)))
        sg_slot_report_content(slot, class);
    if (LIKELY(policy->canary_bytes > 0)) {
        size_t slack = policy->slot_bytes - CANARY_BYTES - bytes;

        if (UNLIKELY(!slot_is_known_zero(class, taken->state)))
            canary_clear_slack(end, slack);
        canary_write(end, slack);
    }
    /* Release: whoever finds the slot live finds it complete. Costs nothing on x86-64. */
    atomic_thread_fence(memory_order_release);
}

/* The same as a call, and makes the slot live: what is rare stays out of the hot path. */
HIDDEN void *sg_slot_open(struct taken_slot taken, size_t class, size_t bytes, uint8_t maker);

/* Into the quarantine of the thread's own cache, which is not hidden, or where there is room. A
 * function of its own, so that the hot path in front of it needs less stack. */
HIDDEN void sg_slot_keep(struct thread_cache *cache, size_t class, struct free_slot slot);

/* The rest of a free of a slot that is not cleared wholly: proven, in the state SLOT_CACHED. */
HIDDEN void sg_slot_give_edges(struct thread_cache *cache, size_t class, struct free_slot slot);

/* Whether nobody wrote behind what the program asked for; `*ret_bytes` is how much that was. */
static ALWAYS_INLINE bool slot_is_undamaged(const char *slot, const struct class_policy *policy,
                                            size_t *ret_bytes)
{
    if (UNLIKELY(policy->canary_bytes == 0)) {
        *ret_bytes = policy->usable_bytes;
        return true;
    }
    const char *end = slot + policy->slot_bytes;
    size_t slack = canary_slack(end);

    *ret_bytes = policy->usable_bytes - slack;
    return LIKELY(slack <= policy->usable_bytes) && LIKELY(canary_slack_is_clear(end, slack));
}

/* The live block of `bytes` from now on, where it is. What it gives up becomes slack. */
static inline void slot_resize(char *slot, size_t class, size_t bytes)
{
    const struct class_policy *policy = &sg_policy.classes[class];
    char *end = slot + policy->slot_bytes;

    if (policy->canary_bytes == 0)
        return;
    canary_clear_slack(end, policy->usable_bytes - bytes);
    canary_write(end, policy->usable_bytes - bytes);
}

/* Beyond what is cleared always: edges, and now and then all of it. Returns the state to store. */
HIDDEN uint8_t sg_slot_clear_edges(struct thread_cache *cache, char *slot, size_t class);

/* Clears the slot, whose state is not live any more. Returns the state to store. */
static ALWAYS_INLINE uint8_t slot_clear(struct thread_cache *cache, char *slot, size_t class)
{
    const struct class_policy *policy = &sg_policy.classes[class];

    if (UNLIKELY(!policy->is_cleared))
        return sg_slot_clear_edges(cache, slot, class);
    content_clear(slot, policy->slot_bytes);
    return SLOT_CACHED;
}

#endif
