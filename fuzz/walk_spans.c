/* All memory that was mapped for blocks, span by span: the page map against the ledger of the
 * arena, states of slots against the counters of the tiers and against the model. */
#include "walk.h"

#include "arena.h"
#include "bits.h"
#include "central_list.h"
#include "central_state.h"
#include "options.h"
#include "os_guard.h"
#include "os_memory.h"
#include "page_cache_state.h"
#include "page_map.h"
#include "policy.h"
#include "span_quarantine.h"
#include "thread_registry.h"

#include <string.h>

struct class_count {
    size_t live;
    size_t cached;
    size_t transfer;
    size_t free;
};

struct census {
    struct class_count classes[CLASS_COUNT];
    size_t large_live;
    size_t given_up;          /* spans of slots, and freed large ones, that wait in a quarantine */
    size_t pages;             /* of all spans */
    size_t spares;            /* pages that wait for their own class */
    const struct span *below; /* the span before, if it touches */
    bool has_guards;          /* none was refused */
};

static void expect(bool condition, const char *oracle)
{
    if (!condition)
        shadow_fail(oracle, OPS_SLOTS);
}

static void expect_guard(const struct census *census, uintptr_t from, uintptr_t end)
{
    if (from >= end || !census->has_guards)
        return;
    expect(arena_is_guarded((void *)from), "a guard has access at its start");
    expect(arena_is_guarded((void *)(end - 1)), "a guard has access at its end");
}

static void count_slots(struct census *census, const struct span *span)
{
    struct class_count *count = &census->classes[span->slots.class];
    size_t free_before = count->free;

    for (uint32_t i = 0; i < span->slots.slot_count; i++) {
        uint8_t state = load_relaxed(&span->slots.states[i]);

        expect(state < SLOT_STATE_COUNT && state != SLOT_RESIZING && state != SLOT_QUARANTINED &&
                   state != SLOT_LIVE_TYPED,
               "a slot has a state that it cannot have");
        count->live += state >= SLOT_LIVE_FIRST;
        count->transfer += state == SLOT_TRANSFER;
        count->free += state == SLOT_CENTRAL;
        count->cached += state == SLOT_CACHED || state == SLOT_CACHED_ZERO ||
                         state == SLOT_CACHED_WIPED;
    }
    expect(count->free - free_before == span->free_slots, "a span counts its free slots wrongly");
}

/* Without memory and access, and without slots until its class takes it again. */
static bool is_spare(const struct span *span)
{
    return span->slots.owner == SPAN_CENTRAL && span->slots.slot_count == 0;
}

static void visit_central(struct census *census, const struct span *span)
{
    uintptr_t body_end =
        align_up(span->slots.base + sg_central_body_bytes(span->slots.class), PAGE_BYTES);

    expect(span->slots.class < CLASS_COUNT, "a span has a class that there is not");
    if (is_spare(span)) {
        census->spares += span->pages;
        expect_guard(census, span->slots.base, span_end(span));
        return;
    }
    count_slots(census, span);
    if (span->slots.mark == MARK_GIVEN_UP) {
        expect(span->free_slots == span->slots.slot_count, "a span was given up with live slots");
        census->given_up++;
    }
    expect_guard(census, body_end, span_end(span));
}

static void visit_large(struct census *census, const struct span *span)
{
    uint8_t state = load_relaxed(&span->large_state);
    uintptr_t start = align_down(span->slots.base, sg_os_page_bytes);
    uintptr_t end = align_up(span->slots.base + span->large_bytes, sg_os_page_bytes);

    if (state < SLOT_LIVE_FIRST) {
        census->given_up++;
        return;
    }
    census->large_live++;
    if (span->is_guarded) {
        expect_guard(census, span_start(span), start);
        expect_guard(census, end == start ? end + sg_os_page_bytes : end, span_end(span));
    }
}

static bool should_be_one(const struct span *below, const struct span *above)
{
    return below != NULL && below->slots.owner == SPAN_FREE && above->slots.owner == SPAN_FREE &&
           below->space == above->space &&
           (uint64_t)below->pages + above->pages <= SPAN_MAX_PAGES / 2 &&
           (below->slots.mark == RUN_CLEAN) == (above->slots.mark == RUN_CLEAN);
}

static void visit(struct census *census, const struct span *span)
{
    expect(!should_be_one(census->below, span), "free runs that touch are two");
    census->below = span;
    census->pages += span->pages;
    switch (span->slots.owner) {
    case SPAN_CENTRAL:
        visit_central(census, span);
        return;
    case SPAN_LARGE:
        visit_large(census, span);
        return;
    case SPAN_FREE:
        return;
    default:
        expect(false, "a span has an owner that it cannot have");
    }
}

/* [at, end) is mapped, what lies around is not. A page that the map never heard of is no block's. */
static void visit_mapping(struct census *census, uintptr_t at, uintptr_t end)
{
    census->below = NULL;
    at = align_up(at, PAGE_BYTES);
    while (at + PAGE_BYTES <= end) {
        const struct span *span = page_map_lookup(at);

        if (span == NULL) {
            census->below = NULL;
            at += PAGE_BYTES;
            continue;
        }
        expect(span != &sg_span_retired && span != &sg_span_forbidden, "pages are in no span");
        expect(span_start(span) == at && span->pages > 0, "a span begins elsewhere");
        expect(span_end(span) <= end, "a span ends behind the mapping");
        if (!is_spare(span))
            sg_span_check(span);
        visit(census, span);
        at = span_end(span);
    }
}

static void compare_class(const struct census *census, uint32_t class, size_t cached, size_t live)
{
    const struct class_count *count = &census->classes[class];
    struct central_statistics central;

    sg_central_statistics(class, &central);
    expect(count->live == live, "slots are live that are no blocks");
    expect(count->cached == cached, "slots are cached that no cache holds");
    expect(count->transfer == central.transfer_slots, "slots are in transfer that no batch holds");
    expect(count->live + count->cached + count->transfer + central.free_slots ==
               central.carved_slots,
           "slots of a class are lost, or there twice");
}

static void compare(const struct census *census, const struct shadow *shadow)
{
    static size_t live[CLASS_COUNT + 1];
    struct thread_cache_statistics threads;

    memset(live, 0, sizeof(live));
    for (unsigned slot = 0; slot < OPS_SLOTS; slot++) {
        const struct shadow_block *block = &shadow->blocks[slot];

        if (block->address == NULL)
            continue;
        live[page_map_lookup((uintptr_t)block->address)->slots.class]++;
        expect(arena_has_access(block->address, block->usable_bytes), "a live block has no access");
    }
    sg_thread_registry_statistics(&threads);
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        compare_class(census, class, threads.cached_slots[class], live[class]);
    expect(census->large_live == live[CLASS_LARGE], "large objects live that are no blocks");
    expect(census->pages == sg_page_cache.mapped_pages, "pages are lost, or there twice");
    expect(census->given_up ==
               sg_quarantine_central.count + sg_quarantine_large.count + sg_quarantine_kept.count,
           "spans were given up that no quarantine holds");
}

size_t walk_spans(const struct shadow *shadow)
{
    static struct census census;
    struct os_guard_statistics guards;
    const char *start = NULL;
    const char *end = NULL;

    memset(&census, 0, sizeof(census));
    sg_os_guard_statistics(&guards);
    census.has_guards = guards.refused == 0;
    while (arena_next_mapping(end, &start, &end) && arena_is_of_blocks(start))
        visit_mapping(&census, (uintptr_t)start, (uintptr_t)end);
    compare(&census, shadow);
    return census.spares * PAGE_BYTES;
}
