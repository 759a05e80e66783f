#include "checked_slot.h"

#include "pool.h"
#include "report.h"
#include "span.h"

static struct misuse misuse_of(const char *slot, size_t class, const char *function)
{
    return (struct misuse){
        .function = function,
        .address = slot,
        .block = (uintptr_t)slot,
        .block_bytes = policy_usable_bytes((uint32_t) class),
        .class = (uint32_t) class,
    };
}

/* Between the edges of a slot that is not cleared wholly lies what the program left there; but if
 * the edges are clear, this one was. */
static size_t first_changed(const char *slot, const struct class_policy *policy)
{
    size_t bytes = policy->slot_bytes;
    size_t first = content_first_changed(slot, bytes);

    if (policy->is_cleared || first < CONTENT_EDGE_BYTES)
        return first;

    size_t edge = bytes - CONTENT_EDGE_BYTES;
    size_t in_edge = content_first_changed(slot + edge, CONTENT_EDGE_BYTES);
    return in_edge < CONTENT_EDGE_BYTES ? edge + in_edge : first;
}

void sg_slot_report_content(const char *slot, size_t class)
{
    struct misuse misuse = misuse_of(slot, class, "malloc");

    misuse.kind = MISUSE_FREED_WRITE;
    misuse.offset = first_changed(slot, &sg_class_policy[class]);
    sg_report_misuse(&misuse);
}

void sg_slot_report_damage(const char *slot, size_t class, const slot_state_byte *state,
                           const char *function)
{
    struct misuse misuse = misuse_of(slot, class, function);
    struct canary_damage damage = sg_canary_damage(slot, sg_class_policy[class].slot_bytes);

    /* Acquire: pairs with the release between the state and the clearing in who frees it. */
    atomic_thread_fence(memory_order_acquire);
    misuse.block_bytes = damage.block_bytes;
    misuse.offset = damage.bytes_before_next > 0 ? damage.bytes_before_next : damage.first;
    misuse.kind = damage.bytes_before_next > 0 ? MISUSE_UNDERFLOW : MISUSE_OVERFLOW;
    if (!slot_state_is_live(load_relaxed(state)))
        misuse.kind = MISUSE_DOUBLE_FREE;
    sg_report_misuse(&misuse);
}

void sg_slot_open(const struct taken_slot *taken, size_t class, size_t bytes)
{
    slot_open(taken, class, bytes);
}

void sg_slot_end(void *slot, slot_state_byte *state, const struct span *span,
                 const struct end_call *ending)
{
    struct thread_cache *cache = sg_thread_cache_self;
    size_t class = span->slots.class;
    const struct class_policy *policy = &sg_class_policy[class];
    size_t bytes;

    if (UNLIKELY(!slot_is_undamaged(slot, policy, &bytes))) {
        sg_pool_free(slot, ending->maker, ending->function); /* which says so */
        return;
    }
    /* Release: who finds the canary gone must find the state changed. */
    store_relaxed(state, SLOT_CACHED);
    atomic_thread_fence(memory_order_release);
    uint8_t left = slot_clear(cache, slot, class);
    if (UNLIKELY(left != SLOT_CACHED))
        store_relaxed(state, left);
    slot_keep(cache, class, (struct free_slot){slot, state});
}
