#include "victim.h"

#include "child.h"
#include "machine.h"
#include "page_map.h"

#include <string.h>

#define CANARY_SIZE 8u
#define SLACK_COUNTED 16u
#define FILL_ENDS 512u /* of a block twice as long and longer */

struct victim victims[VICTIM_COUNT];
enum profile victim_profile;
struct stain stains[STAINS];
struct wild wilds[WILDS];
unsigned wild_count;

bool profile_has_canary(uint32_t class)
{
    return victim_profile != PROFILE_FAST && class != CLASS_ZERO && class < CLASS_LAST;
}

bool profile_clears_all(uint32_t class)
{
    if (class == CLASS_ZERO || class == CLASS_LARGE || victim_profile == PROFILE_FAST)
        return false;
    return victim_profile == PROFILE_STRICT || sg_size_classes[class].slot_bytes <= 256;
}

bool profile_clears_edges(uint32_t class)
{
    return class != CLASS_ZERO && class != CLASS_LARGE && victim_profile != PROFILE_FAST;
}

size_t profile_usable_bytes(uint32_t class)
{
    return sg_size_classes[class].slot_bytes - (profile_has_canary(class) ? CANARY_SIZE : 0);
}

static uint64_t load(const char *from)
{
    uint64_t word;

    memcpy(&word, from, sizeof(word));
    return word;
}

/* A large object's slack ends with its OS page. */
static void measure(struct victim *victim)
{
    const struct span *span = page_map_lookup((uintptr_t)victim->address);
    uintptr_t end = (uintptr_t)victim->address + victim->bytes;

    if (span == NULL || span->slots.slot_count == 0)
        child_fail("a block of %zu bytes has no span", victim->bytes);
    victim->class = span->slots.class;
    if (victim->class == CLASS_LARGE)
        victim->slot_bytes = ((end + MACHINE_OS_PAGE_BYTES - 1) & ~(MACHINE_OS_PAGE_BYTES - 1)) -
                             (uintptr_t)victim->address;
    else
        victim->slot_bytes = sg_size_classes[victim->class].slot_bytes;
}

static void require_alone(const struct victim *victim)
{
    for (unsigned i = 0; i < VICTIM_COUNT; i++) {
        const struct victim *other = &victims[i];

        if (other != victim && other->is_live &&
            victim->address < other->address + other->slot_bytes &&
            other->address < victim->address + victim->slot_bytes)
            child_fail("live blocks of %zu and %zu bytes overlap", victim->bytes, other->bytes);
    }
}

void victim_begin(struct victim *victim)
{
    if ((uintptr_t)victim->address % victim->alignment != 0 ||
        !machine_is_open_range((uintptr_t)victim->address, victim->bytes))
        child_fail("a block of %zu bytes lies outside of the heap", victim->bytes);
    measure(victim);
    if (victim->slot_bytes < victim->bytes)
        child_fail("a block of %zu bytes got a slot of %zu", victim->bytes, victim->slot_bytes);
    require_alone(victim);
    victim->is_live = true;
    victim->is_written = false;
    victim_note_end(victim);
}

void victim_note_end(struct victim *victim)
{
    measure(victim);
    victim->damaged_by = NO_ACT;
    victim->usable_bytes = victim->class == CLASS_LARGE || profile_has_canary(victim->class)
                               ? victim->bytes
                               : victim->slot_bytes;
    if (profile_has_canary(victim->class))
        victim->canary = load(victim->address + victim->slot_bytes - CANARY_SIZE);
}

static char pattern(const struct victim *victim, size_t i)
{
    return victim->is_zero ? 0 : (char)((victim->seed + i * 7) | 1);
}

static bool is_filled(const struct victim *victim, size_t i)
{
    return i < FILL_ENDS || i + FILL_ENDS >= victim->bytes;
}

void victim_fill(struct victim *victim)
{
    for (size_t i = 0; i < victim->bytes; i++) {
        if (is_filled(victim, i))
            victim->address[i] = pattern(victim, i);
        else
            i = victim->bytes - FILL_ENDS - 1;
    }
}

void victim_verify(const struct victim *victim, size_t bytes)
{
    if (victim->is_written)
        return;
    for (size_t i = 0; i < bytes; i++) {
        if (!is_filled(victim, i))
            i = victim->bytes - FILL_ENDS - 1;
        else if (victim->address[i] != pattern(victim, i))
            child_fail("contents of a block of %zu bytes changed at +%zu", victim->bytes, i);
    }
}

void victim_verify_all(void)
{
    for (unsigned i = 0; i < VICTIM_COUNT; i++)
        if (victims[i].is_live)
            victim_verify(&victims[i], victims[i].bytes);
}

struct victim *victim_at(const void *address)
{
    for (unsigned i = 0; i < VICTIM_COUNT; i++)
        if (victims[i].is_live && victims[i].address == address)
            return &victims[i];
    return NULL;
}

struct victim *victim_around(const void *address)
{
    for (unsigned i = 0; i < VICTIM_COUNT; i++)
        if (victims[i].is_live && (const char *)address >= victims[i].address &&
            (const char *)address < victims[i].address + victims[i].slot_bytes)
            return &victims[i];
    return NULL;
}

static size_t first_nonzero(const char *from, size_t bytes)
{
    size_t i = 0;

    while (i < bytes && from[i] == 0)
        i++;
    return i;
}

static struct damage damage_of(const struct victim *victim, size_t slack_end)
{
    size_t slack = slack_end - victim->bytes;
    size_t counted = slack < SLACK_COUNTED ? slack : SLACK_COUNTED;
    size_t in_slack = first_nonzero(victim->address + victim->bytes, counted);
    struct damage damage = {
        .in_slack = in_slack < counted, .first_word = victim->slot_bytes, .ends_whole = true};

    damage.starts_whole = true;
    damage.is_damaged = damage.in_slack;
    damage.first = victim->bytes + in_slack;
    return damage;
}

struct damage victim_damage(const struct victim *victim)
{
    struct damage damage = {.is_damaged = false};

    if (victim_profile == PROFILE_FAST ||
        (victim->class != CLASS_LARGE && !profile_has_canary(victim->class)))
        return damage;
    if (victim->class == CLASS_LARGE)
        return damage_of(victim, victim->slot_bytes);

    damage = damage_of(victim, victim->slot_bytes - CANARY_SIZE);
    uint64_t change = victim->canary ^ load(victim->address + victim->slot_bytes - CANARY_SIZE);
    if (change == 0)
        return damage;
    damage.first_word = victim->slot_bytes - CANARY_SIZE + (size_t)__builtin_ctzll(change) / 8;
    damage.starts_whole = (change & 0xff) == 0;
    damage.ends_whole = change >> 56 == 0;
    if (!damage.in_slack)
        damage.first = damage.first_word;
    damage.is_damaged = true;
    return damage;
}

void stain_add(struct stain stain)
{
    struct stain *place = NULL;

    for (unsigned i = 0; i < STAINS; i++) {
        if (stains[i].slot == stain.slot && stains[i].class == stain.class) {
            if (stain.first < stains[i].first)
                stains[i].first = stain.first;
            stains[i].act = stain.act;
            return;
        }
        if (stains[i].slot == NULL && place == NULL)
            place = &stains[i];
    }
    if (place != NULL)
        *place = stain;
    else
        wild_add((uintptr_t)stain.slot,
                 (uintptr_t)stain.slot + sg_size_classes[stain.class].slot_bytes, stain.act);
}

void wild_add(uintptr_t from, uintptr_t end, int act)
{
    struct wild *last = wild_count == 0 ? NULL : &wilds[wild_count - 1];

    if (wild_count < WILDS) {
        wilds[wild_count++] = (struct wild){from, end, act};
        return;
    }
    last->from = from < last->from ? from : last->from;
    last->end = end > last->end ? end : last->end;
}

bool wild_touches(uintptr_t from, size_t bytes)
{
    for (unsigned i = 0; i < wild_count; i++)
        if (wilds[i].from < from + bytes && from < wilds[i].end)
            return true;
    return false;
}
