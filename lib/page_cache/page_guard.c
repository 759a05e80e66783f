#include "page_guard.h"

#include "os_guard.h"

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

struct page_access sg_page_access_of(const struct span *span, size_t open_pages)
{
    struct page_access access = {.pages = span->pages};
    uintptr_t base = span->slots.base;

    for (size_t i = 0; i < open_pages; i++) {
        if (!sg_page_is_guarded(span, i))
            continue;
        if (access.open_end == 0)
            access.open_from = base + i * PAGE_BYTES;
        access.open_end = base + (i + 1) * PAGE_BYTES;
    }
    for (size_t i = open_pages; i < span->pages; i++) {
        if (sg_page_is_guarded(span, i))
            continue;
        if (access.close_end == 0)
            access.close_from = base + i * PAGE_BYTES;
        access.close_end = base + (i + 1) * PAGE_BYTES;
    }
    return access;
}

bool sg_page_access_set(const struct span *span, const struct page_access *access)
{
    size_t open_bytes = access->open_end - access->open_from;
    size_t close_bytes = access->close_end - access->close_from;

    (void)span;
    if (open_bytes > 0 && !sg_os_allow((void *)access->open_from, open_bytes))
        return false;
    if (close_bytes > 0) /* where the kernel refuses, density is lowered and nothing fails */
        (void)sg_os_forbid((void *)access->close_from, close_bytes);
    return true;
}
