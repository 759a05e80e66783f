#include "checked_slot.h"

#include "report.h"

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

void sg_slot_report_content(const char *slot, size_t class)
{
    struct misuse misuse = misuse_of(slot, class, "malloc");

    misuse.kind = MISUSE_FREED_WRITE;
    misuse.offset = content_first_changed(slot, sg_policy.classes[class].slot_bytes);
    sg_report_misuse(&misuse);
}

void sg_slot_report_damage(const char *slot, size_t class, const slot_state_byte *state,
                           const char *function)
{
    struct misuse misuse = misuse_of(slot, class, function);
    struct canary_damage damage = sg_canary_damage(slot, sg_policy.classes[class].slot_bytes);

    /* Acquire: pairs with the release between the state and the clearing in who frees it. */
    atomic_thread_fence(memory_order_acquire);
    misuse.block_bytes = damage.block_bytes;
    misuse.offset = damage.bytes_before_next > 0 ? damage.bytes_before_next : damage.first;
    misuse.kind = damage.bytes_before_next > 0 ? MISUSE_UNDERFLOW : MISUSE_OVERFLOW;
    if (!slot_state_is_live(load_relaxed(state)))
        misuse.kind = MISUSE_DOUBLE_FREE;
    sg_report_misuse(&misuse);
}

void *sg_slot_open(struct taken_slot taken, size_t class, size_t bytes, uint8_t maker)
{
    slot_open(&taken, class, bytes);
    store_relaxed(taken.state_byte, maker);
    return taken.slot;
}

void sg_slot_keep(struct thread_cache *cache, size_t class, struct free_slot slot)
{
    thread_cache_hide();
    bool kept = thread_cache_quarantine(cache, class, slot);

    thread_cache_show(cache);
    if (UNLIKELY(!kept))
        sg_thread_cache_overflow(cache, (uint32_t) class, slot);
}

void sg_slot_give_edges(struct thread_cache *cache, size_t class, struct free_slot slot)
{
    store_relaxed(slot.state, sg_slot_clear_edges(cache, slot.slot, class));
    sg_slot_keep(cache, class, slot);
}

uint8_t sg_slot_clear_edges(struct thread_cache *cache, char *slot, size_t class)
{
    const struct class_policy *policy = &sg_policy.classes[class];

    if (!policy->has_edges)
        return SLOT_CACHED;
    if (cache != &sg_thread_cache_none &&
        thread_cache_random(cache) >> (64 - WIPE_CHANCE_BITS) < policy->wipe_chance) {
        __builtin_memset(slot, 0, policy->slot_bytes);
        return SLOT_CACHED_WIPED;
    }
    content_clear_edges(slot, policy->slot_bytes);
    return SLOT_CACHED;
}
