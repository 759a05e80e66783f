#include "thread_heap.h"

#include "options.h"
#include "page_map.h"
#include "policy.h"
#include "tier_heap.h"

#include <string.h>

ORACLES_BEGIN

static bool is_power_or_none(uint32_t number)
{
    return (number & (number - 1)) == 0;
}

static void check_bin(const struct cache_bin *bin, uint32_t class)
{
    uint32_t count = load_relaxed(&bin->count);

    tier_expect(count <= bin->capacity, "a bin holds more than its capacity");
    tier_expect(bin->capacity == 0 ||
                    (bin->entries != NULL && bin->capacity <= 1u << bin->array_log2),
                "a bin has no room for its capacity");
    tier_expect(is_power_or_none(bin->floor) && bin->floor * 2u <= bin->capacity &&
                    bin->floor <= sg_class_policy[class].quarantine_slots,
                "a quarantine is longer than it may be");
}

/* All that is cached, to be told apart by the state: a second entry of one slot finds it marked. */
static struct {
    slot_state_byte *state;
    uint8_t was;
} seen[1u << 16];
static size_t seen_count;

static void see_entry(const struct cache_entry *entry, uint32_t class)
{
    struct free_slot found;

    tier_expect(entry_decode(entry, &found), "an entry of a bin does not decode");
    const struct span *span = page_map_lookup((uintptr_t)found.slot);
    uint8_t state = load_relaxed(found.state);
    tier_expect(span != NULL && span->slots.class == class &&
                    slot_state_of(&span->slots, found.slot) == found.state,
                "an entry of a bin names a slot that is none");
    tier_expect(slot_state_is_cached(state), "an entry of a bin names a slot that is not free");
    tier_expect(seen_count < sizeof(seen) / sizeof(seen[0]), "more entries than fit");
    seen[seen_count].state = found.state;
    seen[seen_count++].was = state;
    store_relaxed(found.state, SLOT_QUARANTINED);
}

static size_t see_bins(uint32_t class)
{
    size_t slots = 0;

    for (unsigned i = 0; i < THREADS; i++) {
        const struct cache_bin *bin = &threads[i].bins[class];
        uint32_t count = load_relaxed(&bin->count);

        check_bin(bin, class);
        for (uint32_t entry = 0; entry < count; entry++)
            see_entry(&bin->entries[entry], class);
        slots += count;
    }
    return slots;
}

static void forget_seen(void)
{
    while (seen_count > 0) {
        seen_count--;
        store_relaxed(seen[seen_count].state, seen[seen_count].was);
    }
}

static void check_bounds(void)
{
    size_t leased = 0;

    for (unsigned i = 0; i < THREADS; i++) {
        const struct thread_cache *cache = &threads[i];
        size_t bytes = 0;

        for (uint32_t class = 0; class < CLASS_COUNT; class ++)
            bytes += (size_t)cache->bins[class].capacity * sg_size_classes[class].slot_bytes;
        tier_expect(bytes == cache->capacity_bytes, "the room of a cache is counted wrongly");
        tier_expect(bytes <= cache->leased_bytes, "a cache has more room than it leased");
        tier_expect(bytes <= sg_options.thread_cache_bytes + LEASE_STEP_BYTES,
                    "a cache has more room than one may have");
        leased += cache->leased_bytes - FREE_LEASE_BYTES;
    }
    tier_expect(leased <= sg_options.thread_caches_bytes, "all caches have leased too much");
}

void thread_heap_check(void)
{
    static struct class_facts facts[CLASS_COUNT];
    static const struct cache_bin no_bin;

    tier_heap_check(facts);
    for (uint32_t class = 0; class < CLASS_COUNT; class ++) {
        size_t cached = see_bins(class);

        tier_expect(facts[class].cached_slots == cached, "free slots are in no cache, or in two");
        tier_expect(facts[class].live_slots == held.counts[class],
                    "slots are neither free nor held");
        tier_expect(memcmp(&sg_thread_cache_none.bins[class], &no_bin, sizeof(no_bin)) == 0,
                    "the cache that is none holds something");
    }
    forget_seen();
    check_bounds();
}

ORACLES_END
