/* Large objects that grow and shrink where they are. */
#include "page_cache.h"
#include "page_cache_state.h"
#include "page_guard.h"
#include "page_map.h"

static void lock(void)
{
    lock_acquire(&sg_page_cache.lock, RANK_PAGE_CACHE);
}

static void unlock(void)
{
    lock_release(&sg_page_cache.lock, RANK_PAGE_CACHE);
}

/* `above`, cut to size and in no set, becomes the end of `span`. */
static void absorb(struct span *span, struct span *above)
{
    sg_page_cache.used_pages += above->pages;
    sg_page_map_set(above->slots.base, above->pages, span);
    span->pages += above->pages;
    sg_span_destroy(above);
}

bool sg_page_cache_extend(struct span *span, size_t pages)
{
    bool extended = false;
    size_t more = pages - span->pages;
    struct page_access access = {.pages = 0};

    lock();
    struct span *above = page_map_lookup(span_end(span));
    if (above != NULL && above->slots.owner == SPAN_FREE && above->pages >= more &&
        above->space == sg_page_space_of(SPAN_LARGE)) {
        enum run_kind kind = above->slots.mark;

        sg_page_cache_remove(above);
        above->slots.owner = SPAN_NOWHERE;
        extended = sg_page_cache_split(above, more, kind);
        if (extended) {
            access = sg_page_access_of(above, above->pages);
            absorb(span, above);
        } else {
            sg_page_cache_insert(above, kind);
        }
    }
    unlock();
    if (!extended || sg_page_access_set(&access))
        return extended;
    if (!sg_page_cache_shrink(span, pages - more, 0)) {
        span->is_closed = true; /* it keeps pages that nobody uses, some of them without access */
        span->is_closed_around = false;
        span->is_empty_around = false;
    }
    return false;
}

bool sg_page_cache_shrink(struct span *span, size_t pages, size_t open_pages)
{
    size_t less = span->pages - pages;
    uintptr_t end = span_start(span) + pages * PAGE_BYTES;

    struct span *rest = sg_span_create(end, (uint32_t)less);
    if (rest == NULL)
        return false;
    lock();
    span->pages = (uint32_t)pages;
    sg_page_map_set(end, less, rest);
    rest->slots.owner = SPAN_LARGE;
    unlock();
    sg_page_cache_give(rest, false, open_pages);
    return true;
}
