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

static struct page_range join(struct page_range one, size_t page)
{
    if (one.end == 0)
        return (struct page_range){page, page + 1};
    return (struct page_range){page < one.first ? page : one.first,
                               page >= one.end ? page + 1 : one.end};
}

/* Of the pages [from, end): the smallest range that has all that are guarded, or that are not. */
static struct page_range range_of(const struct span *span, struct page_range part, bool is_guarded)
{
    size_t inner = part.first == 0 ? 1 : part.first;
    size_t inner_end = part.end == span->pages ? part.end - 1 : part.end;
    struct page_range range = {0, 0};

    if (part.first >= part.end)
        return range;
    if (inner < inner_end)
        range = sg_page_map_find(span->slots.base + inner * PAGE_BYTES, inner_end - inner,
                                 sg_page_mark(is_guarded));
    if (range.end > 0)
        range = (struct page_range){range.first + inner, range.end + inner};
    if (part.first == 0 && span->first_guarded == is_guarded)
        range = join(range, 0);
    if (part.end == span->pages && span->last_guarded == is_guarded)
        range = join(range, part.end - 1);
    return range;
}

struct page_access sg_page_access_of(const struct span *span, size_t open_pages)
{
    struct page_range front = {0, open_pages}, back = {open_pages, span->pages};
    struct page_range to_open = range_of(span, front, true);
    struct page_range to_close = sg_page_guard_is_doubted() ? back : range_of(span, back, false);
    uintptr_t base = span->slots.base;

    return (struct page_access){
        .base = base,
        .pages = span->pages,
        .open_from = base + to_open.first * PAGE_BYTES,
        .open_end = base + to_open.end * PAGE_BYTES,
        .close_from = base + to_close.first * PAGE_BYTES,
        .close_end = base + to_close.end * PAGE_BYTES,
    };
}

bool sg_page_is_all_guarded(const struct span *span)
{
    struct page_range all = {0, span->pages};

    return !sg_page_guard_is_doubted() && range_of(span, all, false).end == 0;
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
