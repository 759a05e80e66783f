#include "page_guard.h"

#include "os_guard.h"
#include "page_cache_state.h"

void sg_page_guard_doubt(void)
{
    store_relaxed(&sg_page_cache.guards_are_doubted, true);
}

bool sg_page_guard_is_doubted(void)
{
    return load_relaxed(&sg_page_cache.guards_are_doubted);
}

bool sg_page_is_guarded(const struct span *span, size_t index)
{
    if (index == 0)
        return span->first_guarded;
    if (index + 1 == span->pages)
        return span->last_guarded;
    return page_map_lookup(span->slots.base + index * PAGE_BYTES) == &sg_span_forbidden;
}

void sg_page_guard_from(struct span *span, size_t open_pages)
{
    size_t open = open_pages < span->pages ? open_pages : span->pages;

    sg_page_map_set(span->slots.base, open, &sg_span_retired);
    sg_page_map_set(span->slots.base + open * PAGE_BYTES, span->pages - open, &sg_span_forbidden);
    span->first_guarded = open == 0;
    span->last_guarded = open < span->pages;
}

/* Of the first `pages`: the smallest range that has all that are guarded. */
static struct page_range guarded_range(const struct span *span, size_t pages)
{
    struct page_range range = {0, 0};
    bool with_last = pages == span->pages;

    if (pages == 0)
        return range;
    if (pages > 1u + with_last)
        range = sg_page_map_find(span->slots.base + PAGE_BYTES, pages - 1 - with_last,
                                 &sg_span_forbidden);
    if (range.end > 0)
        range = (struct page_range){range.first + 1, range.end + 1};
    if (with_last && span->last_guarded)
        range = (struct page_range){range.end == 0 ? pages - 1 : range.first, pages};
    if (span->first_guarded)
        range = (struct page_range){0, range.end == 0 ? 1 : range.end};
    return range;
}

struct page_access sg_page_access_of(const struct span *span, size_t open_pages)
{
    struct page_access access = {.base = span->slots.base, .pages = span->pages};
    struct page_range guarded = guarded_range(span, open_pages);
    uintptr_t base = span->slots.base;

    if (guarded.end > 0) {
        access.open_from = base + guarded.first * PAGE_BYTES;
        access.open_end = base + guarded.end * PAGE_BYTES;
    }
    for (size_t i = open_pages; i < span->pages; i++) {
        if (sg_page_is_guarded(span, i) && !sg_page_guard_is_doubted())
            continue;
        if (access.close_end == 0)
            access.close_from = base + i * PAGE_BYTES;
        access.close_end = base + (i + 1) * PAGE_BYTES;
    }
    return access;
}

bool sg_page_access_set(const struct page_access *access)
{
    size_t open_bytes = access->open_end - access->open_from;
    size_t close_bytes = access->close_end - access->close_from;

    if (open_bytes > 0 && !sg_os_allow((void *)access->open_from, open_bytes)) {
        /* Some of it may be open by now: closed again, as the map will say of all of it. */
        if (sg_os_forbid((void *)access->base, access->pages * PAGE_BYTES) == OS_OPEN)
            sg_page_guard_doubt();
        return false;
    }
    if (close_bytes > 0) /* where the kernel refuses, density is lowered and nothing fails */
        (void)sg_os_forbid((void *)access->close_from, close_bytes);
    return true;
}
