#include "truth.h"

#include "arena.h"
#include "central_state.h"
#include "large.h"
#include "os_guard.h"
#include "os_memory.h"
#include "page_cache.h"
#include "page_cache_state.h"
#include "page_guard.h"
#include "page_map.h"
#include "refused.h"

#include <string.h>

#define NO_SLOT OPS_SLOTS
#define LOST_MAX 4096u

static void require(bool condition, const char *oracle)
{
    if (!condition)
        shadow_fail(oracle, NO_SLOT);
}

static uintptr_t os_page_down(uintptr_t address)
{
    return address & ~(uintptr_t)(sg_os_page_bytes - 1);
}

static uintptr_t os_page_up(uintptr_t address)
{
    return os_page_down(address + sg_os_page_bytes - 1);
}

/* Of all bytes [from, end): mapped, ours, and can be read and written. */
static bool is_open(uintptr_t from, uintptr_t end)
{
    for (uintptr_t page = from; page < end; page += ARENA_OS_PAGE_BYTES)
        if (refused_to_unmap(page))
            return false;
    return arena_has_access((void *)from, end - from);
}

/* Some ranges were left open without a call: no longer is it known which these are. */
static bool is_beyond_budget(void)
{
    struct os_guard_statistics statistics;

    sg_os_guard_statistics(&statistics);
    return statistics.refused > refused_closings();
}

/* No byte can be. `excused`: or the kernel was asked for that and refused, or it was not asked. */
static bool is_closed(uintptr_t from, uintptr_t end, bool excused)
{
    for (uintptr_t page = from; page < end; page += ARENA_OS_PAGE_BYTES)
        if (arena_has_access((void *)page, 1) && !(excused && refused_to_close(page)))
            return excused && is_beyond_budget();
    return true;
}

static uintptr_t body_end(const struct span *span)
{
    return os_page_up(span->slots.base + (span->large_bytes == 0 ? 1 : span->large_bytes));
}

static void check_large(const struct span *span)
{
    uintptr_t from = os_page_down(span->slots.base);
    uintptr_t end = body_end(span);

    if (load_relaxed(&span->large_state) == SLOT_QUARANTINED) {
        require(is_closed(from, end, false), "a freed large block has access");
        return;
    }
    if (slot_state_is_live(load_relaxed(&span->large_state)) && span->is_closed_around)
        require(is_closed(span_start(span), from, false) && is_closed(end, span_end(span), false),
                "a large block is called guarded and is not");
}

static void check_central(const struct span *span)
{
    uintptr_t base = span->slots.base;
    uintptr_t end = base + sg_central_body_bytes(span->slots.class);

    if (span->slots.slot_count == 0)
        return; /* spare, or lost */
    if (span->slots.class == CLASS_ZERO)
        require(is_closed(base, end, false), "blocks of no bytes can be written");
    else
        require(is_open(base, end), "slots without access");
    require(is_closed(end, span_end(span), true), "a guard behind slots was forgotten");
}

static void check_free(const struct span *span)
{
    for (size_t i = 0; i < span->pages; i++) {
        uintptr_t page = span->slots.base + i * PAGE_BYTES;

        if (sg_page_is_guarded(span, i) && sg_page_guard_is_doubted())
            continue; /* asked for again before it is relied upon */
        if (sg_page_is_guarded(span, i))
            require(is_closed(page, page + PAGE_BYTES, true),
                    "a free page is called closed and is open");
        else
            require(is_open(page, page + PAGE_BYTES), "a free page is called open and is closed");
    }
}

static void check_span(struct span *span)
{
    switch (span->slots.owner) {
    case SPAN_FREE:
        check_free(span);
        return;
    case SPAN_CENTRAL:
        check_central(span);
        return;
    case SPAN_LARGE:
        check_large(span);
        return;
    default:
        return;
    }
}

static void check_blocks(const struct shadow *shadow)
{
    for (unsigned slot = 0; slot < OPS_SLOTS; slot++) {
        const struct shadow_block *block = &shadow->blocks[slot];
        uintptr_t start = (uintptr_t)block->address;

        if (block->address != NULL && block->usable_bytes != 0 &&
            !is_open(os_page_down(start), os_page_up(start + block->usable_bytes)))
            shadow_fail("a live block has no access", slot);
    }
}

static void visit_mapping(uintptr_t at, uintptr_t end, void (*visit)(struct span *span))
{
    struct span *last = NULL;

    for (at = align_up(at, PAGE_BYTES); at < end; at += PAGE_BYTES) {
        struct span *span = page_map_lookup(at);

        if (span != NULL && span != last && span != &sg_span_retired && span != &sg_span_forbidden)
            visit(span);
        last = span;
    }
}

/* As sg_page_map_each(), without a look at the gigabytes that are not there. */
static void each_span(void (*visit)(struct span *span))
{
    const char *start = NULL;
    const char *end = NULL;

    while (arena_next_mapping(end, &start, &end) && arena_is_of_blocks(start))
        visit_mapping((uintptr_t)start, (uintptr_t)end, visit);
}

void truth_check(const struct shadow *shadow)
{
    check_blocks(shadow);
    each_span(check_span);
}

static bool is_zero(uintptr_t address, size_t bytes)
{
    const char *first = (const char *)address;

    return first[0] == 0 && memcmp(first, first + 1, bytes - 1) == 0;
}

static void check_zero(struct span *span)
{
    if (span->slots.owner != SPAN_FREE || span->slots.mark != RUN_CLEAN)
        return;
    for (size_t i = 0; i < span->pages; i++) {
        uintptr_t page = span->slots.base + i * PAGE_BYTES;

        if (!sg_page_is_guarded(span, i))
            require(is_zero(page, PAGE_BYTES), "a clean run is not zero");
    }
}

void truth_check_zero(void)
{
    each_span(check_zero);
}

static struct {
    struct span *spans[LOST_MAX];
    size_t count;
    bool (*is_wanted)(const struct span *span);
} found;

static void note_found(struct span *span)
{
    bool is_new = found.is_wanted(span);

    for (size_t i = 0; i < found.count; i++)
        is_new &= found.spans[i] != span;
    if (!is_new)
        return;
    require(found.count < LOST_MAX, "there is no end of spans");
    found.spans[found.count++] = span;
}

static size_t find(bool (*is_wanted)(const struct span *span))
{
    found.count = 0;
    found.is_wanted = is_wanted;
    each_span(note_found);
    return found.count;
}

static bool is_free(const struct span *span)
{
    return span->slots.owner == SPAN_FREE;
}

static bool is_stuck(const struct span *span)
{
    return is_free(span) && span->slots.mark == RUN_STUCK;
}

static bool is_lost(const struct span *span)
{
    return span->slots.owner == SPAN_CENTRAL || span->slots.owner == SPAN_LARGE;
}

/* Runs that the kernel would not take: they may be tried again. All of them may be what is left of
 * one, whose other pages were used since. */
static bool retry_stuck(void)
{
    size_t most = find(is_stuck);

    for (size_t i = 0; i < most && find(is_stuck) > 0; i++) {
        struct span *span = found.spans[0];

        sg_page_cache_remove(span);
        span->slots.owner = SPAN_NOWHERE;
        sg_page_cache_insert(span, RUN_DIRTY);
    }
    require(find(is_stuck) == 0, "runs stay stuck");
    return most > 0;
}

static void take_back(struct span *span)
{
    uintptr_t start = span_start(span);

    if (span->slots.owner == SPAN_LARGE)
        (void)sg_large_vacate(span);
    require(sg_os_commit((void *)start, span_bytes(span)), "nothing can be opened any more");
    require(sg_os_allow((void *)start, span_bytes(span)), "nothing can be opened any more");
    sg_page_cache_give(span, false, span->pages);
}

/* Empty spans that only their class may use again; no failure is needed for these. */
static void take_spares_back(void)
{
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        while (sg_central[class].spare != NULL) {
            struct span *span = container_of(sg_central[class].spare, struct span, link);

            list_unlink(&sg_central[class].spare, &span->link);
            take_back(span);
        }
}

/* What realloc had to leave behind is still counted among the live blocks. */
static bool end_left_behind(struct span *span)
{
    uint8_t state = load_relaxed(&span->large_state);

    if (span->slots.owner != SPAN_LARGE || !slot_state_is_live(state))
        return false;
    require(sg_large_claim(span, state), "nobody else may have it");
    sg_large_give(span);
    return true;
}

void truth_take_back(uint64_t most)
{
    size_t failures = retry_stuck();

    take_spares_back();
    size_t left = find(is_lost);
    for (size_t i = 0; i < left; i++)
        failures += end_left_behind(found.spans[i]);
    sg_large_quarantine_drain();
    left = find(is_lost);
    for (size_t i = 0; i < left; i++)
        take_back(found.spans[i]);
    require(failures + left <= most, "more memory is lost than calls failed");
}
