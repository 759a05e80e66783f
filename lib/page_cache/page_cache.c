#include "page_cache_state.h"

#include "bits.h"
#include "options.h"
#include "os_guard.h"
#include "os_memory.h"
#include "page_cache.h"
#include "page_guard.h"
#include "page_map.h"
#include "sync_point.h"

struct page_cache sg_page_cache;

struct lock *sg_page_cache_lock(void)
{
    return &sg_page_cache.lock;
}

static void lock(void)
{
    lock_acquire(&sg_page_cache.lock, RANK_PAGE_CACHE);
}

static void unlock(void)
{
    lock_release(&sg_page_cache.lock, RANK_PAGE_CACHE);
}

static struct page_runs *runs_of(enum run_kind kind, uint8_t space)
{
    return kind == RUN_CLEAN ? &sg_page_cache.clean[space] : &sg_page_cache.dirty[space];
}

uint8_t sg_page_space_of(enum span_owner owner)
{
    return sg_options.isolate_classes != 0 && owner == SPAN_LARGE ? SPACE_LARGE : SPACE_COMMON;
}

/* Oldest first: pushed at the far end. */
static void age_append(struct list_node *node)
{
    node->next = NULL;
    node->prev = sg_page_cache.newest_dirty;
    if (node->prev != NULL)
        node->prev->next = node;
    else
        sg_page_cache.oldest_dirty = node;
    sg_page_cache.newest_dirty = node;
}

static void age_remove(struct list_node *node)
{
    if (sg_page_cache.newest_dirty == node)
        sg_page_cache.newest_dirty = node->prev;
    list_unlink(&sg_page_cache.oldest_dirty, node);
}

void sg_page_cache_remove(struct span *span)
{
    enum run_kind kind = span->slots.mark;

    SYNC_POINT(SYNC_HANDOVER, span);
    sg_page_runs_remove(runs_of(kind, span->space), span);
    if (kind == RUN_DIRTY) {
        sg_page_cache.dirty_pages -= span->pages;
        age_remove(&span->dirty_link);
    }
    /* The bytes of the age link are the geometry again: nothing can be freed here. */
    span->slots.inverse = 0;
    span->slots.states = NULL;
}

/* The free run of a like kind that touches `span` at `page`, or NULL. */
static struct span *mergeable(const struct span *span, uintptr_t page, enum run_kind kind)
{
    struct span *other = page_map_lookup(page);

    if (other == NULL || other->slots.owner != SPAN_FREE || other->space != span->space)
        return NULL;
    if ((uint64_t)other->pages + span->pages > SPAN_MAX_PAGES / 2)
        return NULL;
    return (other->slots.mark == RUN_CLEAN) == (kind == RUN_CLEAN) ? other : NULL;
}

/* Makes `lower` cover `upper` too, which ends. Neither is in a set; the caller maps the ends. */
static void merge(struct span *lower, struct span *upper)
{
    sg_page_map_set(span_end(lower) - PAGE_BYTES, 1, sg_page_mark(lower->last_guarded));
    sg_page_map_set(upper->slots.base, 1, sg_page_mark(upper->first_guarded));
    lower->pages += upper->pages;
    lower->last_guarded = upper->last_guarded;
    sg_span_destroy(upper);
}

static void map_ends(struct span *span)
{
    sg_page_map_set(span->slots.base, 1, span);
    sg_page_map_set(span_end(span) - PAGE_BYTES, 1, span);
}

void sg_page_cache_insert(struct span *span, enum run_kind kind)
{
    struct span *below = mergeable(span, span->slots.base - 1, kind);
    struct span *above = mergeable(span, span_end(span), kind);

    if (below != NULL) {
        sg_page_cache_remove(below);
        merge(below, span);
        span = below;
    }
    if (above != NULL) {
        sg_page_cache_remove(above);
        merge(span, above);
    }
    if (kind == RUN_STUCK && (below != NULL || above != NULL))
        kind = RUN_DIRTY; /* together they may hold whole OS pages */
    span->slots.owner = SPAN_FREE;
    span->slots.mark = (uint8_t)kind;
    map_ends(span);
    SYNC_POINT(SYNC_HANDOVER, span);
    sg_page_runs_insert(runs_of(kind, span->space), span);
    if (kind == RUN_DIRTY) {
        sg_page_cache.dirty_pages += span->pages;
        age_append(&span->dirty_link);
    }
}

/* A record for the pages of `span` from the `pages`th on, which `span` then lacks. NULL: there is
 * no memory for it, nothing changed. */
static struct span *cut(struct span *span, size_t pages)
{
    struct span *rest =
        sg_span_create(span->slots.base + pages * PAGE_BYTES, span->pages - (uint32_t)pages);

    if (rest == NULL)
        return NULL;
    rest->first_guarded = sg_page_is_guarded(span, pages);
    rest->last_guarded = span->last_guarded;
    rest->space = span->space;
    span->last_guarded = sg_page_is_guarded(span, pages - 1);
    span->pages = (uint32_t)pages;
    return rest;
}

bool sg_page_cache_split(struct span *span, size_t pages, enum run_kind kind)
{
    if (span->pages == pages)
        return true;

    struct span *rest = cut(span, pages);

    if (rest == NULL)
        return false;
    map_ends(span);
    sg_page_cache_insert(rest, kind);
    return true;
}

/* Cuts the pages off that lie before the first aligned address; returns the aligned part. */
static struct span *split_aligned(struct span *span, size_t alignment_pages, enum run_kind kind)
{
    uintptr_t aligned = align_up(span->slots.base, alignment_pages * PAGE_BYTES);
    size_t lead = (aligned - span->slots.base) / PAGE_BYTES;

    if (lead == 0)
        return span;

    struct span *rest = cut(span, lead);
    sg_page_cache_insert(span, kind);
    return rest;
}

/* The shortest run that has as many pages behind an aligned one: the shortest of all if it happens
 * to be aligned, else one that is certainly long enough. */
static struct span *best_fit(const struct page_runs *runs, size_t pages, size_t alignment_pages)
{
    struct span *span = sg_page_runs_best_fit(runs, pages);

    if (span == NULL || span->slots.base % (alignment_pages * PAGE_BYTES) == 0)
        return span;
    return sg_page_runs_best_fit(runs, pages + alignment_pages - 1);
}

static struct span *take_free(size_t pages, size_t alignment_pages, uint8_t space, bool *ret_zeroed)
{
    struct span *span = best_fit(&sg_page_cache.dirty[space], pages, alignment_pages);

    if (span == NULL)
        span = best_fit(&sg_page_cache.clean[space], pages, alignment_pages);
    if (span == NULL)
        return NULL;

    enum run_kind kind = span->slots.mark;
    sg_page_cache_remove(span);
    span->slots.owner = SPAN_NOWHERE; /* so that the parts cut off do not merge with it */
    span = split_aligned(span, alignment_pages, kind);
    if (span == NULL)
        return NULL;
    if (!sg_page_cache_split(span, pages, kind)) {
        sg_page_cache_insert(span, kind);
        return NULL;
    }
    if (kind == RUN_CLEAN)
        sg_page_cache_note_clean_take(span->pages);
    *ret_zeroed = kind == RUN_CLEAN;
    return span;
}

/* Address space for a run of `pages`, given to the clean set. In the profile guard all of it is
 * closed in one call: objects open their own pages, and what lies between is closed already.
 * Without the lock. */
static bool add_run(size_t pages, uint8_t space)
{
    size_t bytes = pages * PAGE_BYTES;
    size_t mapped_bytes = bytes;
    char *memory = sg_os_map(NULL, bytes);

    if (memory != NULL && (uintptr_t)memory % PAGE_BYTES != 0) {
        sg_os_unmap(memory, bytes);
        mapped_bytes += PAGE_BYTES;
        memory = sg_os_map(NULL, mapped_bytes);
    }
    if (memory == NULL)
        return false;

    uintptr_t base = align_up((uintptr_t)memory, PAGE_BYTES);
    struct span *span = NULL;
    if (sg_page_map_cover(base, bytes))
        span = sg_span_create(base, (uint32_t)pages);
    if (span == NULL) {
        sg_os_unmap(memory, mapped_bytes);
        return false;
    }
    span->space = space;
    bool is_closed = sg_options.profile == PROFILE_GUARD &&
                     sg_os_vacate((void *)base, bytes) == OS_VACATED;
    lock();
    sg_page_guard_from(span, is_closed ? 0 : pages);
    sg_page_cache.mapped_pages += pages;
    sg_page_cache_insert(span, RUN_CLEAN);
    unlock();
    return true;
}

#define GROW_PAGES_MIN (MIB / PAGE_BYTES)
#define GROW_PAGES_MAX (64 * MIB / PAGE_BYTES)
#define GROW_PAGES_GUARDED (8 * MIB / PAGE_BYTES) /* each guarded page costs an entry, and time */

/* More address space, ahead of need in proportion to what is mapped: few mappings, yet a limit
 * on address space is not spent in advance. */
static bool grow(size_t pages, size_t mapped_pages, uint8_t space)
{
    size_t ahead = mapped_pages / 8;

    if (ahead < GROW_PAGES_MIN)
        ahead = GROW_PAGES_MIN;
    if (ahead > GROW_PAGES_MAX)
        ahead = GROW_PAGES_MAX;
    if (sg_options.profile == PROFILE_GUARD && ahead > GROW_PAGES_GUARDED)
        ahead = GROW_PAGES_GUARDED;
    if (pages >= ahead)
        return add_run(pages, space);
    return add_run(ahead, space) || add_run(pages, space);
}

#define TAKE_ATTEMPTS 8u /* another thread may take what grow() brought */

/* Under the lock: a run of the length, in no set. The lock is let go where the kernel is asked. */
static struct span *take_run(size_t pages, const struct page_request *request, bool *ret_zeroed)
{
    size_t wanted = pages + request->alignment_pages - 1;
    uint8_t space = sg_page_space_of(request->owner);

    for (unsigned i = 0; i < TAKE_ATTEMPTS; i++) {
        struct span *span = take_free(pages, request->alignment_pages, space, ret_zeroed);
        if (span != NULL)
            return span;

        size_t mapped_pages = sg_page_cache.mapped_pages;
        unlock();
        bool grown = grow(wanted, mapped_pages, space);
        lock();
        if (!grown)
            break;
    }
    return NULL;
}

struct span *sg_page_cache_take(struct page_request request, bool *ret_zeroed)
{
    size_t pages = request.pages + request.guard_pages;
    struct page_access access;
    bool stays_closed = false;

    if (pages == 0 || pages + request.alignment_pages > SPAN_MAX_PAGES / 2)
        return NULL;
    lock();
    struct span *span = take_run(pages, &request, ret_zeroed);
    if (span != NULL) {
        stays_closed = request.may_be_closed && sg_page_is_all_guarded(span);
        access = sg_page_access_of(span, stays_closed ? 0 : request.pages);
        span->is_closed_around = stays_closed;
        sg_page_map_set(span->slots.base, span->pages, span);
        span->large_bytes = 0;
        span->lead_bytes = 0;
        span->sample = 0;
        span->slots.owner = (uint8_t)request.owner;
        sg_page_cache.used_pages += span->pages;
    }
    unlock();
    SYNC_POINT(SYNC_HANDOVER, span);
    if (span == NULL || sg_page_access_set(&access))
        return span;
    sg_page_cache_give(span, *ret_zeroed, 0); /* no more mappings */
    return NULL;
}

void sg_page_cache_give(struct span *span, bool zeroed, size_t open_pages)
{
    lock();
    ASSERT(span->slots.owner == SPAN_CENTRAL || span->slots.owner == SPAN_LARGE);
    SYNC_POINT(SYNC_PUBLISH, span);
    span->slots.slot_count = 0; /* first: from here on nothing in it can be freed */
    SYNC_POINT(SYNC_PUBLISH, span);
    span->slots.base = span_start(span);
    span->space = sg_page_space_of(span->slots.owner);
    span->slots.owner = SPAN_NOWHERE; /* so that its base is its start from here on */
    sg_page_guard_from(span, open_pages);
    sg_page_cache.used_pages -= span->pages;
    sg_page_cache_insert(span, zeroed ? RUN_CLEAN : RUN_DIRTY);

    size_t limit = sg_page_cache_dirty_limit();
    if (sg_page_cache.dirty_pages > limit)
        sg_page_cache_purge(limit / 2);
    unlock();
}

void sg_page_cache_statistics(struct page_cache_statistics *ret_statistics)
{
    lock();
    *ret_statistics = (struct page_cache_statistics){
        .mapped_bytes = sg_page_cache.mapped_pages * PAGE_BYTES,
        .used_bytes = sg_page_cache.used_pages * PAGE_BYTES,
        .purge_calls = sg_page_cache.purge_calls,
    };
    for (uint32_t space = 0; space < SPACE_COUNT; space++) {
        const struct page_runs *clean = &sg_page_cache.clean[space];
        const struct page_runs *dirty = &sg_page_cache.dirty[space];

        ret_statistics->dirty_bytes += dirty->pages * PAGE_BYTES;
        ret_statistics->clean_bytes += clean->pages * PAGE_BYTES;
        ret_statistics->free_runs += clean->runs + dirty->runs;
    }
    unlock();
}

void sg_page_cache_forget(struct span *span)
{
    span->slots.slot_count = 0;
    span->slots.owner = SPAN_NOWHERE;
}

void sg_page_cache_abandon(void)
{
    __builtin_memset(sg_page_cache.clean, 0, sizeof(sg_page_cache.clean));
    __builtin_memset(sg_page_cache.dirty, 0, sizeof(sg_page_cache.dirty));
    sg_page_cache.oldest_dirty = NULL;
    sg_page_cache.newest_dirty = NULL;
    sg_page_cache.dirty_pages = 0;
    sg_page_cache.purging_pages = 0;
}
