/* The central cache over the real page cache: batches of every class in and out, in all profiles.
 * The target is what a thread cache would be, and the program behind it: it writes into what it
 * holds and looks whether that stays.
 *
 *   header       see tier_heap.h; header[0] >= 232: one attack, in a child
 *   op % 16      what; a: class; b: how many; c: which of those that are held
 */
#include "central_list.h"
#include "central_state.h"
#include "held.h"
#include "page_cache.h"
#include "page_map.h"
#include "paper_kernel.h"
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

static void take(const struct tier_record *record)
{
    uint32_t class = tier_class_of(record->a);
    uint32_t wanted = 1 + record->b % BATCH_MAX_SLOTS;
    size_t bytes = sg_size_classes[class].slot_bytes;
    uint32_t *count = &held.counts[class];
    unsigned failures = paper.failures;
    struct cache_entry batch[BATCH_MAX_SLOTS];

    if (wanted > HELD_MAX - *count || held.bytes + wanted * bytes > HELD_BYTES_MAX)
        return;
    uint32_t got = sg_central_take(class, batch, wanted);
    tier_expect(got <= wanted, "more slots than were asked for");
    tier_expect(got > 0 || paper.failures > failures, "no slots, and nothing failed");
    for (uint32_t i = 0; i < got; i++) {
        struct cache_entry *entry = &held.entries[class][*count];
        struct free_slot got_one;

        entry_move(entry, &batch[i]);
        got_one = slot_at(class, (*count)++);
        held_receive(class, got_one, load_relaxed(got_one.state));
    }
    held.bytes += got * bytes;
}

/* The entry leaves, another takes its place. */
static void pick(uint32_t class, uint32_t index, struct cache_entry *ret_entry)
{
    struct free_slot chosen = slot_at(class, index);
    uint32_t last = --held.counts[class];

    held_finish(class, chosen);
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
    ((uint8_t *)batch)[tier_damaged_byte(record->c)] ^= (uint8_t)(1 + record->b % 255);
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

static uint32_t other_class(const struct tier_record *record)
{
    uint32_t class = tier_class_of(record->a);

    return class == CLASS_LAST ? CLASS_FIRST : class + 1;
}

static void give_astray(void *argument)
{
    struct tier_record *record = argument;
    uint32_t class = tier_class_of(record->a);
    struct cache_entry entry;

    pick(class, record->b % held.counts[class], &entry);
    sg_central_give(other_class(record), &entry, 1);
}

static void attack(struct tier_record *record)
{
    if (!held.attacks || held.counts[tier_class_of(record->a)] == 0)
        return;
    held.attacks = false;
    /* What goes to a batch in transfer is not asked for its span before it comes back from there. */
    if (record->c % 7 == 0 && sg_central[other_class(record)].takes < TRANSFER_TAKES_MIN)
        tier_expect_report(give_astray, record, "P801");
    else if (record->c % 3 == 0)
        tier_expect_report(give_damaged, record, "P803");
    else if (record->c % 3 == 1)
        tier_expect_report(give_moved, record, "P803");
    else
        tier_expect_report(give_twice, record, "P801");
}

/* The lock of a class is let go while a sweep asks the kernel. */
static struct tier_record meanwhile;

static void give_meanwhile(void)
{
    empty_most(&meanwhile);
}

static void perform(struct tier_record *record)
{
    switch (record->op % 16) {
    case 0:
    case 1:
    case 2:
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
    case 3:
        meanwhile = *record;
        paper.meanwhile = give_meanwhile;
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
    held.attacks = input.header[0] >= 232;
    while (tier_next(&input, &record)) {
        perform(&record);
        if (++calls % CALLS_PER_CHECK == 0)
            check();
    }
    check();
    paper.meanwhile = NULL;
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        give_all(class);
    check();
    tier_heap_end();
    return 0;
}
