#include "ending.h"

#include "machine.h"
#include "promise.h"

#include "checked_path.h"
#include "fast_path.h"
#include "page_map.h"
#include "pool.h"

static const char *const names[ENDER_COUNT] = {
    [ENDER_FREE] = "free",
    [ENDER_CFREE] = "cfree",
    [ENDER_SIZED] = "free_sized",
    [ENDER_ALIGNED_SIZED] = "free_aligned_sized",
    [ENDER_DELETE] = "operator delete",
    [ENDER_DELETE_SIZED] = "operator delete",
    [ENDER_DELETE_ARRAY] = "operator delete[]",
    [ENDER_REALLOC] = "realloc",
    [ENDER_USABLE] = "malloc_usable_size",
};

enum ender ender_for(uint8_t maker, unsigned choice)
{
    static const enum ender plain[] = {ENDER_FREE, ENDER_FREE, ENDER_CFREE, ENDER_SIZED};

    if (maker == SLOT_LIVE_NEW)
        return choice % 2 == 0 ? ENDER_DELETE : ENDER_DELETE_SIZED;
    if (maker == SLOT_LIVE_NEW_ARRAY)
        return ENDER_DELETE_ARRAY;
    if (maker == SLOT_LIVE_ALIGNED)
        return choice % 2 == 0 ? ENDER_FREE : ENDER_ALIGNED_SIZED;
    return plain[choice % (sizeof(plain) / sizeof(plain[0]))];
}

static bool states_bytes(enum ender ender)
{
    return ender == ENDER_SIZED || ender == ENDER_ALIGNED_SIZED || ender == ENDER_DELETE_SIZED;
}

bool ender_may_end(enum ender ender, uint8_t maker)
{
    if (ender == ENDER_USABLE)
        return true;
    if (ender == ENDER_DELETE || ender == ENDER_DELETE_SIZED)
        return maker == SLOT_LIVE_NEW;
    if (ender == ENDER_DELETE_ARRAY)
        return maker == SLOT_LIVE_NEW_ARRAY;
    return maker == SLOT_LIVE_MALLOC || maker == SLOT_LIVE_ALIGNED || maker == SLOT_LIVE_SHRUNK;
}

static const char *maker_name(uint8_t maker)
{
    switch (maker) {
    case SLOT_LIVE_ALIGNED:
        return "aligned_alloc";
    case SLOT_LIVE_NEW:
        return "new";
    case SLOT_LIVE_NEW_ARRAY:
        return "new[]";
    default:
        return "malloc";
    }
}

static void promise_first(const struct victim *victim, size_t bytes, size_t first, const char *name)
{
    promise_line((struct reason){victim->damaged_by, victim->class},
                 "P101 heap overflow: %s: a block of %zu bytes was written past its end, first at "
                 "+%zu",
                 name, bytes, first);
}

/* What was asked for may be lost with the canary, which has it in its bytes 1 to 3: then a report
 * says the most that fits, and takes these bytes for changed. */
static void promise_overflow(const struct victim *victim, const struct damage *damage,
                             const char *name)
{
    bool is_large = victim->class == CLASS_LARGE;
    size_t most = is_large ? victim->bytes : profile_usable_bytes(victim->class);

    promise_first(victim, victim->bytes, damage->first, name);
    promise_first(victim, most, damage->first_word, name);
    for (size_t i = 1; i <= 7 && most + i <= damage->first_word + 1 && !is_large; i++)
        promise_first(victim, most, most + i, name);
}

/* Five bytes and more reach those that tell the slack; what is left of these counts as well, and
 * one may look whole by chance. */
static void promise_underflow(const struct victim *victim, const struct damage *damage,
                              const char *name)
{
    size_t written = victim->slot_bytes - damage->first_word;
    size_t most = written >= 5 ? 7 : written;

    for (size_t i = written - (written >= 5); i <= most; i++)
        for (int j = 0; j < 2; j++)
            promise_line((struct reason){victim->damaged_by, victim->class},
                         "P103 heap underflow: %s: %zu bytes before the block that follows one of "
                         "%zu bytes were written",
                         name, i, j == 0 ? victim->bytes : profile_usable_bytes(victim->class));
}

/* What is left in the place of the slack may by chance be one: one time in some hundreds for the
 * longest slots. */
static void promise_lost(const struct victim *victim, const char *name)
{
    struct reason reason = {victim->damaged_by, victim->class};

    promise_line(reason, "P101 heap overflow: %s: a block of *", name);
    promise_line(reason, "P103 heap underflow: %s: 4 bytes before the block that follows one of *",
                 name);
}

/* From the front through the slack, or from behind. Once the bytes that tell the slack are gone it
 * may be told as either. */
static void promise_damage(const struct victim *victim, const struct damage *damage,
                           const char *name)
{
    bool from_behind = damage->starts_whole && !damage->ends_whole;
    bool is_lost = from_behind && damage->first_word < victim->slot_bytes - 4;

    if (is_lost)
        promise_lost(victim, name);
    if (!from_behind || damage->in_slack || is_lost)
        promise_overflow(victim, damage, name);
    if (from_behind && (!damage->in_slack || is_lost))
        promise_underflow(victim, damage, name);
}

static bool knows_bytes(const struct victim *victim)
{
    return victim->class == CLASS_LARGE || profile_has_canary(victim->class);
}

/* free_sized of what aligned_alloc made: its class is another one than that of its bytes. */
static bool lacks_alignment(const struct victim *victim, const struct ending *ending)
{
    return victim->maker == SLOT_LIVE_ALIGNED && ending->ender == ENDER_SIZED;
}

/* A size that is wrong only inside its class goes unnoticed where there is no canary; and of a
 * block that shrank in place any that is smaller. */
static bool may_pass_for(const struct victim *victim, const struct ending *ending)
{
    size_t alignment = ending->ender == ENDER_ALIGNED_SIZED ? ending->alignment : 1;
    uint32_t class = policy_class_of(ending->bytes);

    if (knows_bytes(victim))
        return false;
    return class == victim->class || lacks_alignment(victim, ending) ||
           policy_class_aligned(ending->bytes, alignment) == victim->class ||
           (class < victim->class && policy_class_of(victim->bytes) != victim->class);
}

static struct victim *promise_live(struct victim *victim, const struct ending *ending)
{
    const char *name = names[ending->ender];
    struct reason reason = {ending->act, victim->class};
    struct damage damage = victim_damage(victim);

    if (damage.is_damaged) {
        promise_damage(victim, &damage, name);
        return NULL;
    }
    if (!ender_may_end(ending->ender, victim->maker)) {
        promise_line(reason, "P401 interface mismatch: %s: a block of %zu bytes made by %s", name,
                     victim->usable_bytes, maker_name(victim->maker));
        return NULL;
    }
    if (ending->ender == ENDER_ALIGNED_SIZED &&
        ((uintptr_t)ending->pointer & (ending->alignment - 1)) != 0) {
        promise_line(reason,
                     "P403 alignment mismatch: %s: alignment %zu stated for a block of %zu bytes "
                     "that lacks it",
                     name, ending->alignment, victim->usable_bytes);
        return NULL;
    }
    promise_return(true);
    if (!states_bytes(ending->ender) || (ending->bytes == victim->bytes &&
                                         (knows_bytes(victim) || !lacks_alignment(victim, ending))))
        return victim;
    bool may_pass = may_pass_for(victim, ending);
    promise_return(may_pass);
    promise_line(reason, "P402 size mismatch: %s: size %zu stated for a block of %zu bytes", name,
                 ending->bytes, victim->usable_bytes);
    return may_pass ? victim : NULL;
}

static void promise_gone(const struct ending *ending)
{
    promise_line((struct reason){ending->act, PROMISE_NO_CLASS},
                 "P204 stale pointer: %s: no block is there any more, its memory was recycled",
                 names[ending->ender]);
}

static size_t said_bytes(const struct victim *victim)
{
    struct damage damage = victim_damage(victim);

    return damage.is_damaged && victim->class != CLASS_LARGE ? profile_usable_bytes(victim->class)
                                                             : victim->usable_bytes;
}

/* Of the slot that starts at `start`; `around` lives there, or NULL. */
static void promise_inside(const struct ending *ending, const struct span *span, const char *start,
                           const struct victim *around)
{
    bool is_aligned = (uintptr_t)ending->pointer % MIN_ALIGNMENT == 0;
    bool is_large = span->slots.class == CLASS_LARGE;
    size_t bytes = is_large ? span->large_bytes : profile_usable_bytes(span->slots.class);

    if (around != NULL)
        bytes = said_bytes(around);
    promise_line((struct reason){ending->act, span->slots.class},
                 "%s: %s: %zu bytes inside a %s block of %zu bytes",
                 is_aligned ? "P301 interior pointer" : "P303 unaligned pointer",
                 names[ending->ender], (size_t)(ending->pointer - start),
                 around != NULL ? "live" : "free", bytes);
}

static void promise_dead(const struct ending *ending, const struct span *span)
{
    uintptr_t pointer = (uintptr_t)ending->pointer;
    bool is_large = span->slots.class == CLASS_LARGE;
    size_t stride = is_large ? span_bytes(span) : sg_size_classes[span->slots.class].slot_bytes;
    size_t index = (pointer - span->slots.base) / stride;

    if (span->slots.slot_count == 0 || pointer < span->slots.base ||
        index >= span->slots.slot_count ||
        (is_large && pointer != span->slots.base &&
         pointer >= span->slots.base + span->large_bytes)) {
        promise_gone(ending);
        return;
    }
    uintptr_t start = span->slots.base + index * stride;
    if (pointer != start) {
        promise_inside(ending, span, (char *)start, victim_at((char *)start));
        return;
    }
    promise_line((struct reason){ending->act, span->slots.class},
                 "P203 double free: %s: a block of %zu bytes that is already free",
                 names[ending->ender],
                 is_large ? span->large_bytes : profile_usable_bytes(span->slots.class));
}

struct victim *ending_promise(const struct ending *ending)
{
    struct victim *victim = victim_at(ending->pointer);
    const struct span *span = page_map_lookup((uintptr_t)ending->pointer);

    promise_start(false);
    if (victim != NULL)
        return promise_live(victim, ending);
    if (span != NULL && machine_has((uintptr_t)ending->pointer))
        promise_dead(ending, span);
    else if (!machine_is_open((uintptr_t)ending->pointer))
        promise_line((struct reason){ending->act, PROMISE_NO_CLASS},
                     "P302 foreign pointer: %s: the address was never handed out by this allocator",
                     names[ending->ender]);
    return NULL;
}

static struct ended reallocate(const struct ending *ending)
{
    return (struct ended){
        .moved = sg_pool_reallocate(ending->pointer, ending->bytes, names[ENDER_REALLOC])};
}

/* As lib/api does it. */
static void end_plainly(const struct ending *ending, uint8_t maker)
{
    struct end_call call = {names[ending->ender], maker};
    bool is_freed = sg_policy.is_checked ? checked_free(ending->pointer, &call, BYTES_ANY)
                                         : fast_free(ending->pointer, maker);

    if (!is_freed)
        sg_pool_free(ending->pointer, maker, names[ending->ender]);
}

static void end_stated(const struct ending *ending, uint8_t maker)
{
    struct end_call call = {names[ending->ender], maker};
    struct stated stated = {.bytes = ending->bytes};
    bool is_freed = false;

    if (ending->ender == ENDER_ALIGNED_SIZED)
        stated.alignment = ending->alignment;
    else if (!sg_policy.is_checked)
        is_freed = fast_free_sized(ending->pointer, ending->bytes, maker);
    else if (ending->ender == ENDER_DELETE_SIZED)
        is_freed = checked_free(ending->pointer, &call, ending->bytes);
    if (!is_freed)
        sg_pool_free_stated(ending->pointer, stated, maker, names[ending->ender]);
}

struct ended ending_call(const struct ending *ending)
{
    struct ended nothing = {NULL, 0};

    switch (ending->ender) {
    case ENDER_FREE:
        end_plainly(ending, SLOT_LIVE_MALLOC);
        break;
    case ENDER_DELETE:
        end_plainly(ending, SLOT_LIVE_NEW);
        break;
    case ENDER_DELETE_ARRAY:
        end_plainly(ending, SLOT_LIVE_NEW_ARRAY);
        break;
    case ENDER_CFREE:
        sg_pool_free(ending->pointer, SLOT_LIVE_MALLOC, names[ENDER_CFREE]);
        break;
    case ENDER_SIZED:
    case ENDER_ALIGNED_SIZED:
        end_stated(ending, SLOT_LIVE_MALLOC);
        break;
    case ENDER_DELETE_SIZED:
        end_stated(ending, SLOT_LIVE_NEW);
        break;
    case ENDER_REALLOC:
        return reallocate(ending);
    case ENDER_USABLE:
        return (struct ended){
            .usable_bytes = sg_pool_usable_bytes(ending->pointer, names[ENDER_USABLE])};
    default:
        break;
    }
    return nothing;
}
