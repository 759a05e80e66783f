/* The central cache over the real page cache: batches of every class in and out, in all profiles.
 * The target is what a thread cache would be, and the program behind it: it writes into what it
 * holds and looks whether that stays.
 *
 *   header       see tier_heap.h; header[0] >= 252: one attack, in a child
 *   op % 16      what; a: class; b: how many; c: which of those that are held
 */
#include "central_list.h"
#include "central_state.h"
#include "content.h"
#include "page_cache.h"
#include "page_map.h"
#include "paper_kernel.h"
#include "policy.h"
#include "tier_heap.h"

#include <string.h>

TIER_TARGET("central_cache");

#define HELD_MAX 1024u /* of a class */
#define HELD_BYTES_MAX (8 * MIB)
#define CALLS_PER_CHECK 16u

static struct {
    struct cache_entry entries[CLASS_COUNT][HELD_MAX];
    uint32_t counts[CLASS_COUNT];
    size_t bytes;
    bool attacks;
} held;

static struct free_slot slot_at(uint32_t class, uint32_t index)
{
    struct free_slot free_slot;

    tier_expect(entry_decode(&held.entries[class][index], &free_slot), "an entry does not decode");
    return free_slot;
}

/* The program's: at both ends, since neighbours meet there. */
static uint64_t stamp_of(const char *place)
{
    return (uintptr_t)place * 0x9e3779b97f4a7c15u | 1;
}

static void stamp(char *slot, uint32_t class)
{
    char *last = slot + sg_size_classes[class].slot_bytes - 8;

    if (class == CLASS_ZERO)
        return;
    tier_expect(paper_write((uintptr_t)slot, 8) && paper_write((uintptr_t)last, 8),
                "a slot has no access");
    *(uint64_t *)slot = stamp_of(slot);
    *(uint64_t *)last = stamp_of(last);
}

static void end_stamp(char *slot, uint32_t class)
{
    char *last = slot + sg_size_classes[class].slot_bytes - 8;

    if (class == CLASS_ZERO)
        return;
    tier_expect(*(uint64_t *)slot == stamp_of(slot) && *(uint64_t *)last == stamp_of(last),
                "what the program wrote is gone");
    *(uint64_t *)slot = 0;
    *(uint64_t *)last = 0;
    tier_leave_garbage(slot, class);
}

/* Everything that a slot promises when it is handed out. */
static void receive(uint32_t class, struct free_slot got)
{
    const struct span *span = page_map_lookup((uintptr_t)got.slot);
    size_t bytes = sg_size_classes[class].slot_bytes;
    uint8_t state = load_relaxed(got.state);

    tier_expect(span != NULL && span->slots.owner == SPAN_CENTRAL && span->slots.class == class,
                "a slot is in no span of its class");
    tier_expect(slot_state_of(&span->slots, got.slot) == got.state,
                "a slot comes with the state of another");
    tier_expect(slot_state_is_cached(state), "a slot that is handed out is not CACHED");
    tier_expect((bytes & (bytes - 1)) != 0 || (uintptr_t)got.slot % bytes == 0,
                "a slot of a power of two is not aligned");
    tier_expect(paper_is_open((uintptr_t)got.slot & ~(PAPER_OS_PAGE_BYTES - 1), 1) ==
                    (class != CLASS_ZERO),
                "a slot has no access, or one of no bytes has");
    tier_expect_clear(got.slot, class);
    if (state == SLOT_CACHED_ZERO && bytes <= 16 * KIB)
        tier_expect(content_first_changed(got.slot, bytes) == bytes,
                    "a slot that is said to be fresh is not zero");
    /* So that a second one of the same address is seen. */
    store_relaxed(got.state, SLOT_LIVE_MALLOC);
    stamp(got.slot, class);
}

static void take(const struct tier_record *record)
{
    uint32_t class = tier_class_of(record->a);
    uint32_t wanted = 1 + record->b % BATCH_MAX_SLOTS;
    size_t bytes = sg_size_classes[class].slot_bytes;
    uint32_t *count = &held.counts[class];
    unsigned failures = paper.failures;

    if (wanted > HELD_MAX - *count || held.bytes + wanted * bytes > HELD_BYTES_MAX)
        return;
    uint32_t got = sg_central_take(class, &held.entries[class][*count], wanted);
    tier_expect(got <= wanted, "more slots than were asked for");
    tier_expect(got > 0 || paper.failures > failures, "no slots, and nothing failed");
    for (uint32_t i = 0; i < got; i++)
        receive(class, slot_at(class, *count + i));
    *count += got;
    held.bytes += got * bytes;
}

/* The entry leaves, another takes its place. */
static void pick(uint32_t class, uint32_t index, struct cache_entry *ret_entry)
{
    struct free_slot chosen = slot_at(class, index);
    uint32_t last = --held.counts[class];

    tier_expect(load_relaxed(chosen.state) == SLOT_LIVE_MALLOC, "a live slot changed its state");
    end_stamp(chosen.slot, class);
    store_relaxed(chosen.state, SLOT_CACHED);
    entry_encode(ret_entry, chosen.slot, chosen.state);
    if (index != last)
        entry_move(&held.entries[class][index], &held.entries[class][last]);
    held.bytes -= sg_size_classes[class].slot_bytes;
}

static void expect_free(struct free_slot given, uint32_t class)
{
    const struct span *span = page_map_lookup((uintptr_t)given.slot);
    slot_state_byte *state;

    if (span == NULL || span->slots.owner != SPAN_CENTRAL || span->slots.class != class)
        return; /* its span was emptied */
    state = slot_state_of(&span->slots, given.slot);
    tier_expect(state == NULL || load_relaxed(state) == SLOT_CENTRAL ||
                    load_relaxed(state) == SLOT_TRANSFER,
                "a slot that was given back is not free");
}

static void give_some(uint32_t class, uint32_t count, uint8_t order)
{
    struct cache_entry batch[BATCH_MAX_SLOTS];
    struct free_slot given[BATCH_MAX_SLOTS];

    for (uint32_t i = 0; i < count; i++) {
        uint32_t left = held.counts[class];
        uint32_t index = order % 4 == 0   ? 0
                         : order % 4 == 1 ? left - 1
                         : order % 4 == 2 ? order * (i + 1) % left
                                          : left / 2;

        pick(class, index, &batch[i]);
        (void)entry_decode(&batch[i], &given[i]);
    }
    sg_central_give(class, batch, count);
    for (uint32_t i = 0; i < count; i++)
        expect_free(given[i], class);
}

static void give(const struct tier_record *record)
{
    uint32_t class = tier_class_of(record->a);
    uint32_t count = 1 + record->b % BATCH_MAX_SLOTS;

    if (count > held.counts[class])
        count = held.counts[class];
    if (count > 0)
        give_some(class, count, record->c);
}

static void give_all(uint32_t class)
{
    while (held.counts[class] > 0)
        give_some(class, held.counts[class] < 64 ? held.counts[class] : 64, 1);
}

/* As a program that fills and empties: so that sweeps and transfer come about. */
static void fill(const struct tier_record *record)
{
    struct tier_record more = {.a = record->a, .b = 63};

    for (unsigned i = 0; i <= record->c % 16u; i++)
        take(&more);
}

static void empty_most(const struct tier_record *record)
{
    uint32_t class = tier_class_of(record->a);
    uint32_t keep = record->b % 32;

    while (held.counts[class] > keep) {
        uint32_t surplus = held.counts[class] - keep;

        give_some(class, surplus < 64 ? surplus : 64, record->c);
    }
}

static void check(void)
{
    static struct class_facts facts[CLASS_COUNT];
    struct central_statistics now;

    tier_heap_check(facts);
    for (uint32_t class = 0; class < CLASS_COUNT; class ++) {
        tier_expect(facts[class].live_slots == held.counts[class] && facts[class].cached_slots == 0,
                    "slots are neither free nor held");
        sg_central_statistics(class, &now);
        tier_expect(now.carved_slots == now.free_slots + now.transfer_slots + held.counts[class],
                    "slots of a class are lost or counted twice");
    }
}

/* The attacks: what a thread cache holds was changed, or a slot was freed by two. */
static void give_damaged(void *argument)
{
    struct tier_record *record = argument;
    uint32_t class = tier_class_of(record->a);
    struct cache_entry batch[2];

    pick(class, record->b % held.counts[class], &batch[0]);
    ((uint8_t *)batch)[record->c % sizeof(batch[0])] ^= (uint8_t)(1 + record->b % 255);
    sg_central_give(class, batch, 1);
}

static void give_moved(void *argument)
{
    struct tier_record *record = argument;
    uint32_t class = tier_class_of(record->a);
    struct cache_entry batch[2];

    pick(class, record->b % held.counts[class], &batch[0]);
    batch[1] = batch[0]; /* copied, not moved by the one who knows how */
    sg_central_give(class, &batch[1], 1);
}

static void give_twice(void *argument)
{
    struct tier_record *record = argument;
    uint32_t class = tier_class_of(record->a);
    struct cache_entry batch[2];

    pick(class, record->b % held.counts[class], &batch[0]);
    entry_move(&batch[1], &batch[0]);
    sg_central_give(class, batch, 2);
}

static void attack(struct tier_record *record)
{
    if (!held.attacks || held.counts[tier_class_of(record->a)] == 0)
        return;
    held.attacks = false;
    if (record->c % 3 == 0)
        tier_expect_report(give_damaged, record, "P803");
    else if (record->c % 3 == 1)
        tier_expect_report(give_moved, record, "P803");
    else
        tier_expect_report(give_twice, record, "P801");
}

static void perform(struct tier_record *record)
{
    switch (record->op % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
        take(record);
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        give(record);
        break;
    case 8:
        fill(record);
        break;
    case 9:
    case 10:
        empty_most(record);
        break;
    case 11:
        sg_central_trim(tier_class_of(record->a));
        break;
    case 12:
        sg_central_quarantine_drain();
        break;
    case 13:
        paper.milliseconds += record->b;
        break;
    case 14:
        if (record->b % 2 == 0)
            paper.fail_mmap_in = 1 + record->c % 2;
        else
            paper.fail_advice_in = 1 + record->c % 4;
        break;
    default:
        attack(record);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct tier_input input;
    struct tier_record record;
    unsigned calls = 0;

    tier_begin(&input, data, bytes);
    tier_heap_start(&input);
    held.attacks = input.header[0] >= 252;
    while (tier_next(&input, &record)) {
        perform(&record);
        if (++calls % CALLS_PER_CHECK == 0)
            check();
    }
    check();
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        give_all(class);
    check();
    tier_heap_end();
    return 0;
}
