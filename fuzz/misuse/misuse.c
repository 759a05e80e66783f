#include "misuse.h"

#include "child.h"
#include "heap.h"
#include "machine.h"
#include "strike.h"

#include "page_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LARGEST_BYTES ((size_t)4 << 20)

void misuse_check_span(const struct victim *victim)
{
    const struct span *span = page_map_lookup((uintptr_t)victim->address);

    if (span == NULL || slot_state_of(&span->slots, victim->address) == NULL)
        child_fail("a live block of %zu bytes has no span", victim->bytes);
    sg_span_check(span);
}

static void make(const struct step *step, enum make_kind kind)
{
    static const uint8_t makers[4] = {SLOT_LIVE_MALLOC, SLOT_LIVE_MALLOC, SLOT_LIVE_NEW,
                                      SLOT_LIVE_NEW_ARRAY};
    struct making making = {
        .kind = kind,
        .bytes = step->bytes,
        .alignment = (size_t)16 << step->value % 10,
        .maker = kind == MAKE_MALLOC ? makers[step->choice % 4] : SLOT_LIVE_MALLOC,
        .seed = step->value,
        .is_zero = step->choice % 8 >= 6,
    };

    if (kind == MAKE_ALIGNED)
        making.maker = SLOT_LIVE_ALIGNED;
    if (!victims[step->slot].is_live)
        heap_make(&victims[step->slot], &making);
}

/* As the program should. */
static struct ending right_ending(const struct victim *victim, unsigned choice)
{
    return (struct ending){.pointer = victim->address,
                           .ender = ender_for(victim->maker, choice),
                           .bytes = victim->bytes,
                           .alignment = victim->alignment,
                           .act = NO_ACT};
}

static void end(const struct step *step)
{
    struct ending ending = right_ending(&victims[step->slot], step->choice);

    if (victims[step->slot].is_live)
        heap_end(&ending);
}

static void resize(const struct step *step)
{
    struct victim *victim = &victims[step->slot];
    struct ending ending = {
        .pointer = victim->address, .ender = ENDER_REALLOC, .bytes = step->bytes, .act = NO_ACT};

    if (!victim->is_live || victim->maker == SLOT_LIVE_NEW || victim->maker == SLOT_LIVE_NEW_ARRAY)
        return;
    if (step->choice % 4 == 0)
        ending.bytes = victim->bytes + (size_t)step->value % 16;
    else if (step->choice % 4 == 1 && victim->bytes > 64)
        ending.bytes = victim->bytes - (size_t)step->value % 64;
    if (ending.bytes <= LARGEST_BYTES)
        heap_end(&ending);
}

static void ask_usable(const struct step *step)
{
    struct ending ending = {
        .pointer = victims[step->slot].address, .ender = ENDER_USABLE, .act = NO_ACT};

    if (victims[step->slot].is_live)
        heap_end(&ending);
}

static void churn(const struct step *step)
{
    struct making making = {
        .kind = MAKE_MALLOC, .bytes = step->bytes, .maker = SLOT_LIVE_MALLOC, .seed = step->value};
    unsigned count = 1 + step->choice % (VICTIM_COUNT - VICTIM_SLOTS);

    if (count * step->bytes > LARGEST_BYTES)
        count = 2;
    for (unsigned i = 0; i < count; i++)
        heap_make(&victims[VICTIM_SLOTS + i], &making);
    for (unsigned i = 0; i < count; i++) {
        unsigned which = step->value % 2 == 0 ? i : count - 1 - i;
        struct ending ending = right_ending(&victims[VICTIM_SLOTS + which], 0);

        heap_end(&ending);
    }
}

static size_t strike_bytes(const struct step *step)
{
    static const size_t lengths[16] = {1,  1,  2,  3,   4,    7,    8,     9,
                                       16, 24, 64, 200, 4096, 8192, 65536, 262144};

    return lengths[step->choice % 16];
}

/* From the end of the block or, one time in four, some bytes behind it. */
static void act_overflow(const struct step *step)
{
    struct victim *victim = &victims[step->slot];
    size_t gap = step->choice / 64 == 0 ? (size_t)step->distance % 64 : 0;

    if (!victim->is_live)
        return;
    strike(&(struct strike){.from = victim->address + victim->bytes + gap,
                            .bytes = strike_bytes(step),
                            .value = step->value,
                            .act = act_begin(ACT_OVERFLOW, victim->bytes)});
}

static void act_underflow(const struct step *step)
{
    struct victim *victim = &victims[step->slot];
    size_t gap = step->choice / 64 == 0 ? (size_t)step->distance % 64 : 0;

    if (!victim->is_live)
        return;
    strike(&(struct strike){.from = victim->address - gap - strike_bytes(step),
                            .bytes = strike_bytes(step),
                            .downwards = true,
                            .value = step->value,
                            .act = act_begin(ACT_UNDERFLOW, victim->bytes)});
}

static bool is_stale(const struct victim *victim)
{
    return victim->address != NULL && !victim->is_live;
}

static void act_freed_write(const struct step *step)
{
    struct victim *victim = &victims[step->slot];
    size_t offset = (size_t)step->distance % victim->bytes;
    size_t bytes = strike_bytes(step);

    if (step->choice / 64 == 1)
        offset = victim->bytes - 1;
    if (bytes > victim->bytes - offset)
        bytes = victim->bytes - offset;
    strike(&(struct strike){.from = victim->address + offset,
                            .bytes = bytes,
                            .value = step->value,
                            .act = act_begin(ACT_FREED_WRITE, victim->bytes)});
}

/* Through a pointer that is not a block's, or in a way that is not the block's. */
static void end_wrongly(enum act_kind kind, const struct victim *victim, struct ending ending)
{
    ending.act = act_begin(kind, victim->bytes);
    act_current = ending.act;
    heap_end(&ending);
    act_current = NO_ACT;
}

static void act_stale(const struct step *step, enum act_kind kind)
{
    const struct victim *victim = &victims[step->slot];
    struct ending ending = right_ending(victim, step->choice);

    if (kind == ACT_REALLOC_FREED)
        ending.ender = ENDER_REALLOC;
    if (kind == ACT_USABLE_FREED)
        ending.ender = ENDER_USABLE;
    end_wrongly(kind, victim, ending);
}

static void act_inside(const struct step *step, enum act_kind kind)
{
    const struct victim *victim = &victims[step->slot];
    struct ending ending = right_ending(victim, step->choice);
    size_t most = victim->bytes / 16;

    if (step->choice % 16 >= 14)
        ending.ender = step->choice % 2 == 0 ? ENDER_REALLOC : ENDER_USABLE;
    ending.pointer += most == 0 ? 0 : 16 * ((size_t)step->distance % (most + 1));
    if (kind == ACT_MISALIGNED)
        ending.pointer += 1 + step->value % 15;
    else if (ending.pointer == victim->address)
        ending.pointer += 16;
    end_wrongly(kind, victim, ending);
}

static char *foreign_address(const struct step *step)
{
    static char *mapping;

    if (mapping == NULL)
        mapping = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    switch (step->value % 8) {
    case 0:
        return misuse_decoy(true);
    case 1:
        return misuse_decoy(false);
    case 2:
        return mapping + (size_t)step->distance % 8192;
    case 3:
        return (char *)(uintptr_t)(1 + (unsigned)step->distance);
    case 4:
        return (char *)((uintptr_t)1 << 57 | (uintptr_t)step->distance);
    case 5:
        return (char *)UINTPTR_MAX - step->distance;
    case 6:
        return (char *)(uintptr_t)foreign_address;
    default:
        return (char *)page_map_lookup((uintptr_t)victims[step->slot].address);
    }
}

static void act_foreign(const struct step *step)
{
    const struct victim *victim = &victims[step->slot];
    struct ending ending = right_ending(victim, step->choice);

    ending.pointer = foreign_address(step);
    if (step->choice % 16 >= 14)
        ending.ender = step->choice % 2 == 0 ? ENDER_REALLOC : ENDER_USABLE;
    if (ending.pointer != NULL)
        end_wrongly(ACT_FOREIGN, victim, ending);
}

static void act_interface(const struct step *step)
{
    const struct victim *victim = &victims[step->slot];
    struct ending ending = right_ending(victim, step->choice);

    ending.ender = step->choice % (ENDER_REALLOC + 1);
    if (victim->is_live && !ender_may_end(ending.ender, victim->maker))
        end_wrongly(ACT_INTERFACE, victim, ending);
}

static void act_size(const struct step *step)
{
    const struct victim *victim = &victims[step->slot];
    struct ending ending = right_ending(victim, step->choice);

    if (victim->maker == SLOT_LIVE_NEW_ARRAY || !victim->is_live)
        return;
    ending.ender = victim->maker == SLOT_LIVE_NEW ? ENDER_DELETE_SIZED : ENDER_SIZED;
    if (step->value % 4 == 0)
        ending.bytes = step->bytes;
    else
        ending.bytes = victim->bytes + step->value % 8 * 2u - 7;
    if (ending.bytes == victim->bytes || ending.bytes - 1 >= LARGEST_BYTES)
        ending.bytes = victim->bytes + 1;
    end_wrongly(ACT_SIZE, victim, ending);
}

static void act_alignment(const struct step *step)
{
    const struct victim *victim = &victims[step->slot];
    struct ending ending = right_ending(victim, 0);

    if (!victim->is_live || ending.ender != ENDER_FREE)
        return;
    ending.ender = ENDER_ALIGNED_SIZED;
    ending.alignment = (size_t)2 * ((uintptr_t)victim->address & -(uintptr_t)victim->address)
                       << step->value % 4;
    end_wrongly(ACT_ALIGNMENT, victim, ending);
}

static void act_entry(const struct step *step)
{
    const struct victim *victim = &victims[step->slot];

    if (victim->class == CLASS_LARGE)
        return;
    int act = act_begin(ACT_ENTRY, victim->bytes);
    if (!heap_damage_entry(victim->class, step->value, act))
        act_settle(act, OUTCOME_HARMLESS);
}

static void perform(const struct step *step)
{
    const struct victim *victim = &victims[step->slot];

    if (victim->address == NULL)
        return;
    switch (step->act) {
    case ACT_OVERFLOW:
        return act_overflow(step);
    case ACT_UNDERFLOW:
        return act_underflow(step);
    case ACT_FREED_WRITE:
        return is_stale(victim) ? act_freed_write(step) : (void)0;
    case ACT_DOUBLE_FREE:
    case ACT_REALLOC_FREED:
    case ACT_USABLE_FREED:
        return is_stale(victim) ? act_stale(step, step->act) : (void)0;
    case ACT_INTERIOR:
    case ACT_MISALIGNED:
        return act_inside(step, step->act);
    case ACT_FOREIGN:
        return act_foreign(step);
    case ACT_INTERFACE:
        return act_interface(step);
    case ACT_SIZE:
        return act_size(step);
    case ACT_ALIGNMENT:
        return act_alignment(step);
    case ACT_ENTRY:
        return act_entry(step);
    default:
        return;
    }
}

static void trim(const struct step *step)
{
    if (step->choice % 4 == 0)
        heap_trim();
    else if (step->choice % 4 != 3 || step->by_second)
        heap_drain();
}

void misuse_step(const struct step *step)
{
    switch (step->kind) {
    case STEP_MALLOC:
        return make(step, MAKE_MALLOC);
    case STEP_CALLOC:
        return make(step, MAKE_CALLOC);
    case STEP_ALIGNED:
        return make(step, MAKE_ALIGNED);
    case STEP_FREE:
        return end(step);
    case STEP_REALLOC:
        return resize(step);
    case STEP_USABLE:
        return ask_usable(step);
    case STEP_TRIM:
        return trim(step);
    case STEP_CHURN:
        return churn(step);
    case STEP_VERIFY:
        return victim_verify_all();
    case STEP_ACT:
        return perform(step);
    }
}

void misuse_print(const struct step *step, size_t number)
{
    static const char *const names[] = {"malloc", "calloc", "aligned", "free",   "realloc",
                                        "usable", "trim",   "churn",   "verify", "act"};
    const struct victim *victim = &victims[step->slot];

    fprintf(stderr, "%zu: %s %s thread %d slot %u bytes %zu choice %u value %u distance %d; ",
            number, names[step->kind], step->kind == STEP_ACT ? act_titles[step->act] : "",
            1 + step->by_second, step->slot, step->bytes, step->choice, step->value,
            step->distance);
    fprintf(stderr, "block %p of %zu in a slot of %zu, class %u, %s\n", (void *)victim->address,
            victim->bytes, victim->slot_bytes, victim->class, victim->is_live ? "live" : "dead");
}
