#include "strike.h"

#include "child.h"
#include "heap.h"
#include "machine.h"

#include "fault.h"
#include "page_map.h"

#include <stdio.h>
#include <string.h>

/* What is being written; the handler of faults looks. */
static struct {
    uintptr_t from;
    uintptr_t end;
    int act;
} under_way;

enum effect { EFFECT_NONE, EFFECT_CONTENTS, EFFECT_PENDING };

static char byte_for(const struct strike *strike, size_t i, char old)
{
    switch (strike->value % 5) {
    case 0:
        return 'A';
    case 1:
        return 0;
    case 2:
        return (char)(old + 1 + strike->value / 5);
    case 3:
        return (char)(i % 2 == 0 ? 0 : strike->value);
    default:
        return (char)(strike->value * 31 + i * 17);
    }
}

static enum effect on_live(struct victim *victim, const char *from, int act)
{
    enum effect effect = EFFECT_NONE;

    if (from < victim->address + victim->bytes) {
        victim->is_written = true;
        effect = EFFECT_CONTENTS;
    }
    if (victim_damage(victim).is_damaged) {
        if (victim->damaged_by == NO_ACT)
            victim->damaged_by = act;
        effect = EFFECT_PENDING;
    }
    return effect;
}

static bool is_fresh(uint8_t state)
{
    return state == SLOT_CENTRAL || state == SLOT_CACHED_ZERO;
}

/* What is left of a mapping beside pages of ours, which are longer than the kernel's. */
static bool is_cut_off(uintptr_t address)
{
    uintptr_t sides[2] = {address - MACHINE_OS_PAGE_BYTES, address + MACHINE_OS_PAGE_BYTES};

    for (int i = 0; i < 2; i++)
        if (page_map_lookup(sides[i]) != NULL && machine_is_one_mapping(address, sides[i]))
            return true;
    return false;
}

/* Nobody lives there. Returns where the place ends. */
static const char *on_free(const char *from, int act, enum effect *ret_effect)
{
    const struct span *span = page_map_lookup((uintptr_t)from);
    const char *page_end = (const char *)(((uintptr_t)from | (MACHINE_OS_PAGE_BYTES - 1)) + 1);

    if (span == NULL && is_cut_off((uintptr_t)from))
        return page_end;
    if (span == NULL)
        child_fail("an attack reaches memory that is not the heap's");
    if (span->slots.slot_count == 0 || span->slots.class == CLASS_LARGE) {
        if (span->slots.slot_count > 0 && victim_profile != PROFILE_FAST &&
            (uintptr_t)from >= span->slots.base &&
            (uintptr_t)from < span->slots.base + span->large_bytes)
            child_fail("a freed large block can be written to");
        wild_add((uintptr_t)from, (uintptr_t)page_end, act);
        return page_end;
    }
    size_t slot_bytes = sg_size_classes[span->slots.class].slot_bytes;
    size_t index = ((uintptr_t)from - span->slots.base) / slot_bytes;
    if (index >= span->slots.slot_count)
        return page_end;
    char *slot = (char *)span->slots.base + index * slot_bytes;
    stain_add((struct stain){.slot = slot,
                             .class = span->slots.class,
                             .act = act,
                             .first = (size_t)(from - slot),
                             .is_fresh = is_fresh(load_relaxed(&span->slots.states[index]))});
    *ret_effect = EFFECT_PENDING;
    return slot + slot_bytes;
}

/* Bytes from `from` to `end` are not what they were. */
static enum effect note_change(const char *from, const char *end, int act)
{
    enum effect all = EFFECT_NONE;

    while (from < end) {
        struct victim *victim = victim_around(from);
        enum effect effect = EFFECT_NONE;

        if (victim != NULL) {
            effect = on_live(victim, from, act);
            from = victim->address + victim->slot_bytes;
        } else {
            from = on_free(from, act, &effect);
        }
        all = effect > all ? effect : all;
    }
    return all;
}

static enum effect write_bytes(const struct strike *strike, char *from, char *end)
{
    char *first = end;
    char *last = from;

    for (char *to = from; to < end; to++) {
        char byte = byte_for(strike, (size_t)(to - strike->from), *to);

        if (byte == *to)
            continue;
        if (first == end)
            first = to;
        last = to + 1;
        *(volatile char *)to = byte;
    }
    return first == end ? EFFECT_NONE : note_change(first, last, strike->act);
}

/* The end of what a write upwards from a block can reach at most; SIZE_MAX: nobody says. */
static uintptr_t reach_of(const char *from)
{
    const struct victim *victim = victim_around(from - 1);
    const struct span *span = page_map_lookup((uintptr_t)from - 1);

    if (victim == NULL || span == NULL || span->slots.slot_count == 0)
        return UINTPTR_MAX;
    if (victim->class == CLASS_LARGE)
        return (uintptr_t)victim->address + victim->slot_bytes;
    if (victim_profile == PROFILE_FAST &&
        sg_size_classes[victim->class].span_pages * PAGE_BYTES < 64 * KIB)
        return UINTPTR_MAX;
    return span_end(span);
}

/* One OS page's part of the strike. */
static enum effect write_part(const struct strike *strike, char *from, char *end)
{
    if (!machine_is_open((uintptr_t)from)) {
        *(volatile char *)(strike->downwards ? end - 1 : from) = 'X';
        child_fail("a page without access can be written to");
    }
    return write_bytes(strike, from, end);
}

static enum effect write_all(const struct strike *strike)
{
    uintptr_t from = (uintptr_t)strike->from;
    uintptr_t end = from + strike->bytes;
    uintptr_t reach = strike->downwards ? UINTPTR_MAX : reach_of(strike->from);
    enum effect all = EFFECT_NONE;

    while (from < end) {
        uintptr_t part = strike->downwards ? (end - 1) & ~(MACHINE_OS_PAGE_BYTES - 1) : from;
        uintptr_t part_end = strike->downwards ? end : (from | (MACHINE_OS_PAGE_BYTES - 1)) + 1;

        part = part < from ? from : part;
        part_end = part_end > end ? end : part_end;
        if (part >= reach && machine_is_open(part))
            child_fail("no guard between two spans");
        enum effect effect = write_part(strike, (char *)part, (char *)part_end);
        all = effect > all ? effect : all;
        if (strike->downwards)
            end = part;
        else
            from = part_end;
    }
    return all;
}

void strike(const struct strike *strike)
{
    static const enum outcome outcomes[] = {
        [EFFECT_NONE] = OUTCOME_HARMLESS,
        [EFFECT_CONTENTS] = OUTCOME_MISSED,
        [EFFECT_PENDING] = OUTCOME_OPEN,
    };

    if (!machine_has((uintptr_t)strike->from) ||
        !machine_has((uintptr_t)strike->from + strike->bytes - 1))
        return;
    under_way.from = (uintptr_t)strike->from;
    under_way.end = under_way.from + strike->bytes;
    under_way.act = strike->act;
    enum effect effect = write_all(strike);
    under_way.end = under_way.from;
    act_settle(strike->act, outcomes[effect]);
}

/* `bytes` is what is known of a block at `start`: a live one's own, a free one's at most. */
static bool is_block(uintptr_t start, size_t bytes, bool must_be_dead)
{
    const struct victim *victim = victim_at((const char *)start);
    const struct span *span = page_map_lookup(start);

    if (victim != NULL)
        return !must_be_dead &&
               bytes == (victim_damage(victim).is_damaged && victim->class != CLASS_LARGE
                             ? profile_usable_bytes(victim->class)
                             : victim->usable_bytes);
    if (span == NULL || slot_state_of(&span->slots, (const char *)start) == NULL)
        return false;
    return bytes == (span->slots.class == CLASS_LARGE ? span->large_bytes
                                                      : profile_usable_bytes(span->slots.class));
}

static bool is_true(uintptr_t address, const char *finding)
{
    size_t inside = 0;
    size_t past = 0;
    size_t bytes = 0;

    if (sscanf(finding,
               "P102 heap overflow: fault: WRITE at +%zu, %zu bytes past the end of a block of %zu",
               &inside, &past, &bytes) == 3)
        return inside - past == bytes && is_block(address - inside, bytes, false);
    if (sscanf(finding, "P104 heap underflow: fault: WRITE %zu bytes before a block of %zu", &past,
               &bytes) == 2)
        return is_block(address + past, bytes, false);
    if (sscanf(finding, "P201 use after free: fault: WRITE at +%zu of a freed block of %zu",
               &inside, &bytes) == 2)
        return is_block(address - inside, bytes, true);
    return strncmp(finding, "P204 stale pointer: fault: ", 27) == 0 &&
           page_map_lookup(address) != NULL && page_map_lookup(address)->slots.slot_count == 0;
}

void strike_judge_fault(uintptr_t address, const void *context)
{
    if (address < under_way.from || address >= under_way.end)
        child_fail("a fault outside of an attack's own writes");
    if (machine_is_open(address))
        child_fail("a fault where there is access");
    machine_said_nothing();
    bool is_told = sg_fault_describe(address, true, context);

    const char *finding = strstr(machine_said(), "]: ");
    const struct span *span = page_map_lookup(address);
    if (is_told != (finding != NULL) || (!is_told && span != NULL))
        child_fail("a fault in memory of the heap is not told");
    if (is_told && !is_true(address, finding + 3))
        child_fail("of a fault it is not true that %s", finding + 3);
    act_settle(under_way.act, OUTCOME_IMMEDIATE);
}
