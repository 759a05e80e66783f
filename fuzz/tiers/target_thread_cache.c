/* The thread cache over the real tiers below: three threads' caches and the one of a thread that
 * has none, by turns on one thread. The target is the interface layer and the program.
 *
 *   header[0], [1]   see tier_heap.h
 *   header[1] / 64   bounds of a cache and of all; header[0] >= 232: one attack, in a child
 *   op % 16          what; op / 16: whose cache; a: class; b: how many; c: which
 */
#include "central_list.h"
#include "held.h"
#include "options.h"
#include "page_map.h"
#include "paper_kernel.h"
#include "policy.h"
#include "thread_heap.h"
#include "tier_heap.h"

#include <string.h>

TIER_TARGET("thread_cache");

#define HELD_BYTES_MAX (8 * MIB)
#define CALLS_PER_CHECK 16u

struct thread_cache threads[THREADS];
struct thread_heap held;

static struct thread_cache *cache_of(const struct tier_record *record)
{
    uint8_t choice = record->op / 16;

    return choice == 15 ? &sg_thread_cache_none : &threads[choice % THREADS];
}

static void start(const struct tier_input *input)
{
    static const size_t bounds[4] = {8 * MIB, 0, 64 * KIB, 512 * KIB};
    struct random random = target_random(input->seed, 1);

    tier_heap_start(input);
    sg_options.thread_cache_bytes = bounds[input->header[1] / 64];
    sg_options.thread_caches_bytes = 2 * sg_options.thread_cache_bytes;
    for (unsigned i = 0; i < THREADS; i++) {
        memset(&threads[i], 0, sizeof(threads[i]));
        threads[i].leased_bytes = FREE_LEASE_BYTES;
        threads[i].random = random_next(&random);
    }
    held.attacks = input->header[0] >= 232;
}

/* As the interface does: the unchecked way of it where nothing is checked. */
static bool allocate(struct thread_cache *cache, uint32_t class, struct taken_slot *ret_taken)
{
    struct span *span;

    sg_thread_cache_self = cache;
    if (!sg_policy.is_checked && cache->bins[class].floor == 0) {
        char *slot = thread_cache_pop(cache, class, SLOT_CACHED);

        if (slot != NULL) {
            span = page_map_lookup((uintptr_t)slot);
            tier_expect(span != NULL, "a slot is in no span");
            *ret_taken = (struct taken_slot){slot, slot_state_of(&span->slots, slot), SLOT_CACHED};
            return true;
        }
    }
    if (thread_cache_take(cache, class, ret_taken))
        return true;

    bool taken = sg_thread_cache_refill(cache, class, ret_taken);
    tier_expect(sg_thread_cache_self == cache, "a cache stays hidden");
    return taken;
}

/* One slot more is held; false: there is no memory. */
static bool take_one(struct thread_cache *cache, uint32_t class)
{
    unsigned failures = paper.failures;
    struct taken_slot taken;

    if (!allocate(cache, class, &taken)) {
        tier_expect(paper.failures > failures, "no slot, and nothing failed");
        return false;
    }
    struct free_slot got = {taken.slot, taken.state_byte};
    held_receive(class, got, taken.state);
    held.slots[class][held.counts[class]++] = got;
    held.bytes += sg_size_classes[class].slot_bytes;
    return true;
}

static void take(struct thread_cache *cache, const struct tier_record *record, uint32_t count)
{
    uint32_t class = tier_class_of(record->a);
    size_t bytes = sg_size_classes[class].slot_bytes;

    for (uint32_t i = 0; i < count; i++)
        if (held.counts[class] == HELD_MAX || held.bytes + bytes > HELD_BYTES_MAX ||
            !take_one(cache, class))
            return;
}

/* The slot leaves what is held, another takes its place. */
static struct free_slot pick(uint32_t class, uint32_t index)
{
    struct free_slot chosen = held.slots[class][index];

    held_finish(class, chosen);
    held.slots[class][index] = held.slots[class][--held.counts[class]];
    held.bytes -= sg_size_classes[class].slot_bytes;
    return chosen;
}

static void release(struct thread_cache *cache, uint32_t class, struct free_slot given)
{
    bool is_kept;

    sg_thread_cache_self = cache;
    if (sg_policy.is_checked) {
        store_relaxed(given.state, SLOT_CACHED);
        is_kept = thread_cache_quarantine(cache, class, given);
    } else {
        is_kept = thread_cache_push(cache, class, given.slot, given.state);
    }
    if (is_kept)
        return;
    store_relaxed(given.state, SLOT_CACHED);
    sg_thread_cache_overflow(cache, class, given);
    tier_expect(sg_thread_cache_self == cache, "a cache stays hidden");
}

static void give(struct thread_cache *cache, const struct tier_record *record, uint32_t count)
{
    uint32_t class = tier_class_of(record->a);

    for (uint32_t i = 0; i < count && held.counts[class] > 0; i++) {
        uint32_t left = held.counts[class];
        uint32_t index = record->c % 4 == 0   ? 0
                         : record->c % 4 == 1 ? left - 1
                                              : record->c * (i + 1) % left;

        release(cache, class, pick(class, index));
    }
}

/* What is in quarantine is not what comes next. */
static void give_and_take(struct thread_cache *cache, const struct tier_record *record)
{
    uint32_t class = tier_class_of(record->a);

    if (held.counts[class] == 0)
        return;
    struct free_slot given = pick(class, record->c % held.counts[class]);
    release(cache, class, given);
    bool waits = cache->bins[class].floor > 0;
    if (take_one(cache, class) && waits)
        tier_expect(held.slots[class][held.counts[class] - 1].slot != given.slot,
                    "a slot comes back right after its free");
}

static void drain(struct thread_cache *cache)
{
    if (cache == &sg_thread_cache_none)
        return;
    sg_thread_cache_self = cache;
    sg_thread_cache_drain(cache);
    tier_expect(cache->capacity_bytes == 0 && cache->leased_bytes == FREE_LEASE_BYTES,
                "a drained cache has room or leased it");
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        tier_expect(load_relaxed(&cache->bins[class].count) == 0 &&
                        cache->bins[class].capacity == 0 && cache->bins[class].entries == NULL,
                    "a drained cache holds something");
}

/* A change of any bit of an address shows in most entries: one in 65,536 may not. Three bits, since
 * the same one may not show in neighbours either: their states' addresses are nearly the same. The
 * lowest bits are those that a hash by multiplication misses first. */
static void damage(struct thread_cache *cache, const struct tier_record *record)
{
    struct cache_bin *bin = &cache->bins[tier_class_of(record->a)];
    uint32_t count = load_relaxed(&bin->count);
    unsigned unseen = 0;

    if (count < 3)
        return;
    for (uint32_t i = 0; i < 3; i++) {
        struct cache_entry whole = bin->entries[i];
        struct free_slot ignored;
        uint32_t place = record->b < 128 ? (record->b + i) % 3 : (record->b + 7 * i) % 48;
        uint64_t bit = (uint64_t)1 << place;

        if (record->c % 2 == 0)
            bin->entries[i].slot_word ^= bit;
        else
            bin->entries[i].state_word ^= bit;
        unseen += entry_decode(&bin->entries[i], &ignored);
        bin->entries[i] = whole;
    }
    tier_expect(unseen < 3, "damaged entries decode");
}

/* The attacks. All entries are changed in one way: one in 65,536 alone would pass. */
static void use_damaged(void *argument)
{
    struct tier_record *record = argument;
    uint32_t class = tier_class_of(record->a);
    struct thread_cache *cache = cache_of(record);
    struct cache_bin *bin = &cache->bins[class];

    for (uint32_t i = 0; i < load_relaxed(&bin->count); i++)
        ((uint8_t *)&bin->entries[i])[tier_damaged_byte(record->b)] ^= record->c | 1;
    if (record->c / 2 % 2 == 0)
        sg_thread_cache_drain(cache);
    for (unsigned i = 0; i < 4096; i++)
        (void)take_one(cache, class);
}

/* Two threads freed them, and the other was faster: they live again. */
static void use_live(void *argument)
{
    struct tier_record *record = argument;
    uint32_t class = tier_class_of(record->a);
    struct thread_cache *cache = cache_of(record);
    struct cache_bin *bin = &cache->bins[class];

    for (uint32_t i = 0; i < load_relaxed(&bin->count); i++) {
        struct free_slot found;

        (void)entry_decode(&bin->entries[i], &found);
        store_relaxed(found.state, SLOT_LIVE_MALLOC);
    }
    if (record->c / 2 % 2 == 0)
        sg_thread_cache_drain(cache);
    for (unsigned i = 0; i < 4096; i++)
        (void)take_one(cache, class);
}

static void attack(struct thread_cache *cache, struct tier_record *record)
{
    const struct cache_bin *bin = &cache->bins[tier_class_of(record->a)];

    if (!held.attacks || load_relaxed(&bin->count) <= bin->floor)
        return;
    held.attacks = false;
    if (record->c % 2 == 0)
        tier_expect_report(use_damaged, record, "P803");
    else
        tier_expect_report(use_live, record, "P801");
}

static void perform(struct tier_record *record)
{
    struct thread_cache *cache = cache_of(record);

    switch (record->op % 16) {
    case 0:
    case 1:
        take(cache, record, 1 + record->b % 8);
        break;
    case 2:
        take(cache, record, 1 + record->b);
        break;
    case 3:
        take(cache, record, 4u * record->b);
        break;
    case 4:
    case 5:
        give(cache, record, 1 + record->b % 8);
        break;
    case 6:
        give(cache, record, 1 + record->b);
        break;
    case 7:
        give(cache, record, 4u * record->b);
        break;
    case 8:
    case 9:
        give_and_take(cache, record);
        break;
    case 10:
        drain(cache);
        break;
    case 11:
        damage(cache, record);
        break;
    case 12:
        attack(cache, record);
        break;
    case 13:
        paper.milliseconds += record->b;
        break;
    case 14:
        paper.fail_mmap_in = 1 + record->c % 2;
        break;
    default:
        sg_central_trim(tier_class_of(record->a));
        break;
    }
}

static void end(void)
{
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        give(&threads[class % THREADS], &(struct tier_record){.a = (uint8_t) class, .c = 1},
             HELD_MAX);
    thread_heap_check();
    for (unsigned i = 0; i < THREADS; i++)
        drain(&threads[i]);
    sg_thread_cache_self = NULL;
    tier_heap_end();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct tier_input input;
    struct tier_record record;
    unsigned calls = 0;

    tier_begin(&input, data, bytes);
    start(&input);
    while (tier_next(&input, &record)) {
        perform(&record);
        if (++calls % CALLS_PER_CHECK == 0)
            thread_heap_check();
    }
    thread_heap_check();
    end();
    return 0;
}
