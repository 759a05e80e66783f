#include "large.h"

#include "bits.h"
#include "content.h"
#include "options.h"
#include "os_guard.h"
#include "os_memory.h"
#include "page_cache.h"
#include "page_guard.h"
#include "policy.h"
#include "sample.h"
#include "secrets.h"
#include "size_class.h"
#include "span_quarantine.h"
#include "sync_point.h"

#define LEAD_BYTES_MAX (64 * KIB) /* in front of an object, by chance */
#define HELD_BYTES_MAX (sg_options.profile == PROFILE_GUARD ? sg_options.guard_held : 256 * MIB)
#define KEPT_SPANS 2u /* freed objects in quarantine that still have their memory */
#define KEPT_BYTES_MAX (16 * MIB)
#define SLACK_BYTES 16u /* behind an object, that are kept zero */

/* All relaxed: statistics, bounds and a number for each, which order nothing. */
static _Atomic size_t live_count, live_bytes;
static _Atomic uint64_t leads;

size_t sg_large_live_count(void)
{
    return load_relaxed(&live_count);
}

size_t sg_large_live_bytes(void)
{
    return load_relaxed(&live_bytes);
}

static uintptr_t body_start(const struct span *span)
{
    return align_down(span->slots.base, sg_os_page_bytes);
}

static uintptr_t body_end(const struct span *span)
{
    return align_up(span->slots.base + (span->large_bytes == 0 ? 1 : span->large_bytes),
                    sg_os_page_bytes);
}

static bool allow(uintptr_t from, uintptr_t end)
{
    return from >= end || sg_os_allow((void *)from, end - from);
}

/* What is called open is open: mprotect stops at a mapping that it cannot split, after others. */
static enum os_closed forbid(uintptr_t from, uintptr_t end)
{
    enum os_closed closed = from >= end ? OS_CLOSED_EMPTY : sg_os_forbid((void *)from, end - from);

    if (closed == OS_OPEN)
        (void)!allow(from, end);
    return closed;
}

static size_t slack_bytes(const struct span *span)
{
    uintptr_t end = span->slots.base + span->large_bytes;
    size_t slack = body_end(span) - end;

    return slack < SLACK_BYTES ? slack : SLACK_BYTES;
}

static void clear_slack(const struct span *span)
{
    __builtin_memset((void *)(span->slots.base + span->large_bytes), 0, slack_bytes(span));
}

bool sg_large_is_undamaged(const struct span *span, size_t *ret_first)
{
    size_t slack = slack_bytes(span);
    const void *end = (const void *)(span->slots.base + span->large_bytes);
    size_t first = content_first_changed(end, slack);

    *ret_first = span->large_bytes + first;
    return first == slack;
}

/* What spans of large objects begin and end with, so that they share no OS page with others. */
static size_t unit_bytes(void)
{
    return sg_os_page_bytes > PAGE_BYTES ? sg_os_page_bytes : PAGE_BYTES;
}

/* Bytes in front of an object that have no access; how many is chance's. */
static size_t lead_bytes(struct large_request request)
{
    size_t unit = request.alignment <= unit_bytes() ? unit_bytes() : request.alignment;

    if ((sg_options.guard_large == 0 && !request.at_the_end) || unit > LEAD_BYTES_MAX)
        return 0;
    if (sg_options.profile == PROFILE_GUARD)
        return unit; /* chance would cost address space and time, and stop nobody */
    uint64_t number = atomic_fetch_add_explicit(&leads, 1, memory_order_relaxed);
    struct random random = sg_secrets_random(SECRETS_LEAD + number);
    return unit * (1 + random_below(&random, (uint32_t)(LEAD_BYTES_MAX / unit)));
}

/* The pages of a span whose object starts `lead` bytes behind its start. */
static size_t pages_around(size_t lead, size_t bytes, bool guarded)
{
    size_t unit = unit_bytes();
    size_t end = align_up(lead + (bytes == 0 ? 1 : bytes), sg_os_page_bytes);

    return (align_up(end, unit) + (guarded ? unit : 0)) / PAGE_BYTES;
}

/* How far an object is moved up so that it ends with its last OS page. */
static size_t distance_to_the_end(struct large_request request)
{
    size_t unit = request.alignment < MIN_ALIGNMENT ? MIN_ALIGNMENT : request.alignment;

    if (!request.at_the_end || unit >= sg_os_page_bytes)
        return 0;
    return align_up(request.bytes, sg_os_page_bytes) - align_up(request.bytes, unit);
}

static void describe(struct span *span, struct large_request request)
{
    span->large_bytes = request.bytes;
    span->sample = request.sample;
    span->partition = request.partition;
    span->slots.inverse = 1;
    span->slots.rotation = 0;
    span->slots.class = CLASS_LARGE;
    span->slots.states = &span->large_state;
    store_relaxed(&span->large_state, request.maker);
    SYNC_POINT(SYNC_PUBLISH, span);
    span->slots.slot_count = 1;
}

static bool wants_guards(struct large_request request)
{
    return sg_options.guard_large != 0 || request.at_the_end;
}

/* Where the kernel refuses a guard there is none: density is lowered, nothing fails. */
static void close_around(struct span *span)
{
    enum os_closed below = forbid(span_start(span), body_start(span));
    enum os_closed above = OS_OPEN;

    if (span->is_guarded)
        above = forbid(body_end(span), span_end(span));
    span->is_empty_around = below == OS_CLOSED_EMPTY && above == OS_CLOSED_EMPTY;
    span->is_closed = (below != OS_OPEN && body_start(span) > span_start(span)) || above != OS_OPEN;
    span->is_closed_around = below != OS_OPEN && above != OS_OPEN;
}

/* `lead`: with the distance to the end. With is_closed_around, all but the object is closed. */
static void *open_object(struct span *span, struct large_request request, size_t lead, bool zeroed)
{
    span->is_empty_inside = false;
    span->lead_bytes = (uint32_t)lead;
    span->slots.base += lead;
    span->large_bytes = request.bytes;
    span->is_guarded = wants_guards(request);
    if (span->is_closed_around) {
        span->is_closed = true;
        span->is_empty_around = zeroed;
    } else {
        close_around(span);
    }
    describe(span, request);
    if (!zeroed)
        clear_slack(span);
    atomic_fetch_add_explicit(&live_count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&live_bytes, request.bytes, memory_order_relaxed);
    return (void *)span->slots.base;
}

/* Of a span that is closed whole: opens the object's own OS pages; false: the span went back. */
static bool open_body(struct span *span, struct large_request request, size_t lead, bool zeroed)
{
    uintptr_t start = span->slots.base + lead;
    uintptr_t from = align_down(start, sg_os_page_bytes);
    uintptr_t end = align_up(start + (request.bytes == 0 ? 1 : request.bytes), sg_os_page_bytes);

    if (allow(from, end))
        return true;
    if (forbid(from, end) == OS_OPEN)
        sg_page_guard_doubt();
    sg_page_cache_give(span, zeroed, 0);
    return false;
}

void *sg_large_take(struct large_request request, bool *ret_zeroed)
{
    size_t lead = lead_bytes(request) + distance_to_the_end(request);
    size_t alignment = request.alignment < unit_bytes() ? unit_bytes() : request.alignment;
    struct page_request pages = {.pages = pages_around(lead, request.bytes, wants_guards(request)),
                                 .alignment_pages = alignment / PAGE_BYTES,
                                 .may_be_closed = sg_options.profile == PROFILE_GUARD,
                                 .owner = SPAN_LARGE};
    struct span *span = sg_page_cache_take(pages, ret_zeroed);

    if (span == NULL || (span->is_closed_around && !open_body(span, request, lead, *ret_zeroed)))
        return NULL;
    return open_object(span, request, lead, *ret_zeroed);
}

size_t sg_large_pages_most(struct large_request request)
{
    size_t lead = wants_guards(request) ? LEAD_BYTES_MAX : 0;

    return pages_around(lead, request.bytes, wants_guards(request));
}

void *sg_large_open(struct span *span, struct large_request request, bool zeroed)
{
    span->is_closed_around = false;
    return open_object(span, request, lead_bytes(request) + distance_to_the_end(request), zeroed);
}

bool sg_large_claim(struct span *span, uint8_t state)
{
    SYNC_POINT(SYNC_HANDOVER, span);
    /* Read-modify-write, unlike small slots: no batch would find a second free later. Relaxed: the
     * page cache's lock orders what follows. */
    return atomic_compare_exchange_strong_explicit(&span->large_state, &state, SLOT_RESIZING,
                                                   memory_order_relaxed, memory_order_relaxed);
}

static void release(struct span *span)
{
    bool is_zero = span->is_empty_inside && span->is_empty_around;

    bool all_closed = load_relaxed(&span->large_state) == SLOT_QUARANTINED &&
                      span->is_closed_around;

    SYNC_POINT(SYNC_PUBLISH, span);
    store_relaxed(&span->large_state, SLOT_CENTRAL);
    sg_sample_end(span->sample);
    /* What is called closed must be: a later guard there is not asked for again. */
    if (!all_closed && span->is_closed && !allow(span_start(span), span_end(span)))
        return; /* no more mappings: its addresses are lost */
    sg_page_cache_give(span, is_zero, all_closed ? 0 : span->pages);
}

static void evict(struct span_quarantine *quarantine, uint32_t spans, size_t bytes)
{
    struct span *span;

    while ((span = sg_span_quarantine_evict(quarantine, spans, bytes)) != NULL)
        release(span);
}

void sg_large_quarantine_drain(void)
{
    evict(&sg_quarantine_kept, 0, 0);
    evict(&sg_quarantine_large, 0, 0);
}

/* A few freed objects wait with their memory: who frees and allocates in turn pays no faults. */
static bool may_keep_memory(const struct span *span, size_t bytes)
{
    return sg_options.isolate_classes == 0 && sg_options.profile != PROFILE_GUARD &&
           span->sample == 0 && span->partition == 0 && bytes <= KEPT_BYTES_MAX / 4 &&
           sg_page_cache_would_keep(span->pages);
}

/* No access to a freed object from here on. */
static bool close_body(struct span *span)
{
    uintptr_t from = body_start(span), end = body_end(span);

    span->is_empty_inside = false;
    if (may_keep_memory(span, end - from) && sg_os_forbid_and_keep((void *)from, end - from))
        return true;

    enum os_closed closed = forbid(from, end);
    span->is_empty_inside = closed == OS_CLOSED_EMPTY;
    if (span->is_empty_inside)
        sg_page_cache_note_vacated(span->pages);
    return closed != OS_OPEN;
}

/* Freed samples wait in every profile: half of them may. */
static uint32_t held_at_most(void)
{
    uint64_t samples = sg_options.sample_bytes == 0 ? 0 : sg_options.sample_slots / 2;

    return (uint32_t)(samples > sg_options.span_quarantine ? samples : sg_options.span_quarantine);
}

/* Of an object that ends: no access any more, if that is wanted and can be. */
static bool close_object(struct span *span, bool wanted)
{
    bool is_closed = wanted && close_body(span);

    span->is_closed = span->is_closed || is_closed;
    sg_sample_note_free(span->sample);
    atomic_fetch_sub_explicit(&live_count, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&live_bytes, span->large_bytes, memory_order_relaxed);
    SYNC_POINT(SYNC_PUBLISH, span);
    store_relaxed(&span->large_state, is_closed ? SLOT_QUARANTINED : SLOT_CENTRAL);
    return is_closed;
}

void sg_large_give(struct span *span)
{
    bool is_special = span->sample != 0 || sg_policy.is_guarded;
    bool is_closed = close_object(span, sg_options.guard_free != 0 || is_special);
    struct span_quarantine *quarantine = is_closed && !span->is_empty_inside ? &sg_quarantine_kept
                                                                             : &sg_quarantine_large;

    if (!is_closed || !sg_span_quarantine_put(quarantine, span, is_special)) {
        release(span);
        return;
    }
    evict(&sg_quarantine_kept, KEPT_SPANS, KEPT_BYTES_MAX);
    evict(&sg_quarantine_large, held_at_most(), HELD_BYTES_MAX);
}

void sg_large_close(struct span *span)
{
    size_t bytes = body_end(span) - body_start(span);

    if (close_object(span, true) || !sg_os_purge((void *)body_start(span), bytes))
        return;
    span->is_empty_inside = true;
    store_relaxed(&span->large_state, SLOT_QUARANTINED);
}

bool sg_large_vacate(struct span *span)
{
    bool is_empty = span->is_empty_inside;

    span->slots.slot_count = 0; /* first: from here on nothing in it can be freed */
    span->slots.base = span_start(span);
    span->lead_bytes = 0;
    return is_empty;
}

static bool grow(struct span *span, uintptr_t old_end, uintptr_t new_end, size_t pages)
{
    if (pages > span->pages && !sg_page_cache_extend(span, pages))
        return false;
    return allow(old_end, new_end);
}

/* What is given up loses access; what of that is beyond the guard goes to the page cache, if there
 * is memory to describe it. Else it stays, as part of the guard. */
static void shrink(struct span *span, uintptr_t old_end, uintptr_t new_end, size_t pages)
{
    uintptr_t end = span_end(span);
    bool is_closed = sg_options.guard_free != 0 && forbid(new_end, old_end) != OS_OPEN &&
                     (span->is_closed_around || forbid(old_end, end) != OS_OPEN);

    span->is_closed = span->is_closed || is_closed;
    if (pages == span->pages || (!is_closed && !allow(new_end, end)))
        return;
    (void)!sg_page_cache_shrink(span, pages, is_closed ? 0 : SIZE_MAX);
}

static void guard_again(struct span *span, uintptr_t end)
{
    enum os_closed above = forbid(end, span_end(span));

    span->is_empty_around &= above == OS_CLOSED_EMPTY;
    span->is_closed_around &= above != OS_OPEN;
    span->is_closed |= above != OS_OPEN;
}

bool sg_large_resize(struct span *span, size_t bytes)
{
    bool guarded = span->is_guarded;
    uintptr_t old_end = body_end(span);
    uintptr_t new_end = align_up(span->slots.base + bytes, sg_os_page_bytes);
    size_t pages = pages_around(span->lead_bytes, bytes, guarded);
    bool resized = true;

    if (span->partition != 0) { /* keeps its addresses, and gets no others */
        if (pages > span->pages)
            return false;
        pages = span->pages;
    }
    if (new_end > old_end)
        resized = grow(span, old_end, new_end, pages);
    else if (new_end < old_end)
        shrink(span, old_end, new_end, pages);
    if (!resized) {
        if (guarded) /* part of its guard may have been opened on the way */
            guard_again(span, old_end);
        return false;
    }
    atomic_fetch_add_explicit(&live_bytes, bytes - span->large_bytes, memory_order_relaxed);
    span->large_bytes = bytes;
    if (guarded && new_end != old_end)
        guard_again(span, new_end);
    clear_slack(span);
    return true;
}
