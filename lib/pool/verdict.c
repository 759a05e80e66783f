#include "verdict.h"

#include "without.h"

#include "checked_slot.h"
#include "large.h"
#include "page_map.h"
#include "report.h"
#include "sample.h"
#include "size_class.h"
#include "sync_point.h"

/* As many as the slot has, or as the program asked for if `slot` holds a whole canary. */
static size_t bytes_of_slot(const struct span *span, const char *slot, uint8_t state)
{
    size_t bytes;
    uint32_t class = span->slots.class;

    if (class == CLASS_LARGE)
        return span->large_bytes;
    if (slot_state_is_live(state) && slot_is_undamaged(slot, &sg_class_policy[class], &bytes))
        return bytes;
    return policy_usable_bytes(class);
}

size_t sg_block_bytes_at(const struct span *span, const void *slot)
{
    const slot_state_byte *state = slot_state_of(&span->slots, slot);

    return bytes_of_slot(span, slot, state == NULL ? SLOT_CENTRAL : load_relaxed(state));
}

static void add_stacks(struct misuse *misuse, const struct span *span)
{
    const struct sample *sample = span->slots.class == CLASS_LARGE ? sg_sample_of(span->sample)
                                                                   : NULL;

    if (sample == NULL)
        return;
    misuse->allocated = &sample->allocated;
    misuse->freed = sample->freed.count > 0 ? &sample->freed : NULL;
}

static struct misuse misuse_of(const struct span *span, const void *object, const char *function)
{
    struct misuse misuse = {
        .function = function,
        .address = object,
        .block = (uintptr_t)object,
        .block_bytes = bytes_of_slot(span, object, SLOT_CENTRAL),
        .class = span->slots.class == CLASS_LARGE ? REPORT_CLASS_LARGE : span->slots.class,
    };

    add_stacks(&misuse, span);
    return misuse;
}

static _Noreturn void report_bare(enum misuse_kind kind, const void *object, const char *function)
{
    struct misuse misuse = {.kind = kind, .function = function, .address = object};

    sg_report_misuse(&misuse);
}

/* The address lies in a span in use, but no slot starts there. */
static _Noreturn void report_interior(const struct span *span, const void *object,
                                      const char *function)
{
    bool is_large = span->slots.class == CLASS_LARGE;
    size_t stride = is_large ? span_bytes(span) : sg_size_classes[span->slots.class].slot_bytes;
    size_t index = ((uintptr_t)object - span->slots.base) / stride;
    struct misuse misuse = misuse_of(span, object, function);

    /* The tail behind the last slot, and the guards: who knows what was there before. */
    if ((uintptr_t)object < span->slots.base || index >= span->slots.slot_count ||
        (is_large && (uintptr_t)object >= span->slots.base + span->large_bytes))
        report_bare(MISUSE_STALE, object, function);
    misuse.kind = (uintptr_t)object % MIN_ALIGNMENT != 0 ? MISUSE_UNALIGNED : MISUSE_INTERIOR;
    misuse.block = span->slots.base + index * stride;
    misuse.state = load_relaxed(&span->slots.states[index]);
    misuse.block_bytes = bytes_of_slot(span, (const char *)misuse.block, misuse.state);
    sg_report_misuse(&misuse);
}

static void prove_large_content(struct block *block, const void *object, const char *function)
{
    size_t first;

    block->bytes = block->span->large_bytes;
    if ((sg_policy.canary_bytes == 0 && !sg_policy.is_guarded) ||
        sg_large_is_undamaged(block->span, &first))
        return;
    struct misuse misuse = misuse_of(block->span, object, function);
    misuse.kind = MISUSE_OVERFLOW;
    misuse.offset = first;
    sg_report_misuse(&misuse);
}

static void prove_content(struct block *block, const void *object, const char *function)
{
    uint32_t class = block->span->slots.class;

    if (class == CLASS_LARGE)
        prove_large_content(block, object, function);
    else if (!slot_is_undamaged(object, &sg_class_policy[class], &block->bytes))
        sg_slot_report_damage(object, class, block->state, function);
}

struct block sg_block_prove(const void *object, const char *function)
{
    struct span *span = page_map_lookup((uintptr_t)object);

    if (span == NULL)
        report_bare(MISUSE_FOREIGN, object, function);

    SYNC_POINT(SYNC_READ, span);
    slot_state_byte *state = slot_state_of(&span->slots, object);
    if (state == NULL && span->slots.slot_count == 0)
        report_bare(MISUSE_STALE, object, function);
    if (state == NULL)
        report_interior(span, object, function);

    struct block block = {.span = span, .state = state, .live_state = load_relaxed(state)};
    SYNC_POINT(SYNC_READ, state);
    if (!SG_WITHOUT_PROOF && !slot_state_is_live(block.live_state))
        sg_block_report_double_free(&block, object, function);
    prove_content(&block, object, function);
    return block;
}

/* C lets free() end what aligned_alloc made; every other interface ends what it made itself. */
static bool may_end(uint8_t maker, uint8_t state)
{
    if (maker == SLOT_LIVE_MALLOC)
        return state == maker || state == SLOT_LIVE_ALIGNED || state == SLOT_LIVE_SHRUNK ||
               state == SLOT_LIVE_TYPED;
    return maker == state;
}

void sg_block_require_maker(const struct block *block, uint8_t maker, const void *object,
                            const char *function)
{
    if (SG_WITHOUT_PROOF || LIKELY(may_end(maker, block->live_state)))
        return;

    struct misuse misuse = misuse_of(block->span, object, function);
    misuse.kind = MISUSE_INTERFACE;
    misuse.block_bytes = block->bytes;
    misuse.state = block->live_state;
    sg_report_misuse(&misuse);
}

static _Noreturn void report(const struct block *block, enum misuse_kind kind, size_t stated,
                             struct misuse misuse)
{
    misuse.kind = kind;
    misuse.stated = stated;
    if (kind != MISUSE_DOUBLE_FREE)
        misuse.block_bytes = block->bytes;
    misuse.state = block->live_state;
    sg_report_misuse(&misuse);
}

void sg_block_report_size(const struct block *block, const void *object, size_t stated,
                          const char *function)
{
    report(block, MISUSE_SIZE, stated, misuse_of(block->span, object, function));
}

void sg_block_report_alignment(const struct block *block, const void *object, size_t stated,
                               const char *function)
{
    report(block, MISUSE_ALIGNMENT, stated, misuse_of(block->span, object, function));
}

void sg_block_report_double_free(const struct block *block, const void *object,
                                 const char *function)
{
    report(block, MISUSE_DOUBLE_FREE, 0, misuse_of(block->span, object, function));
}
