/* Which pages of free runs have no access. The page map tells it page by page, so that a guard that
 * comes to lie where one was before costs no system call: a heap that shrinks and grows in turn
 * meets its own guards again. */
#ifndef SG_PAGE_CACHE_PAGE_GUARD_H
#define SG_PAGE_CACHE_PAGE_GUARD_H

#include "page_map.h"
#include "span.h"

/* What an inner page of a free run finds. */
static inline struct span *sg_page_mark(bool is_guarded)
{
    return is_guarded ? &sg_span_forbidden : &sg_span_retired;
}

/* Of the `index`th page of a free run, or of one that is in no set. RANK_PAGE_CACHE is held here
 * and below. */
HIDDEN bool sg_page_is_guarded(const struct span *span, size_t index);

/* Marks the pages of a span that becomes a free run: those from `open_pages` on are guarded. */
HIDDEN void sg_page_guard_from(struct span *span, size_t open_pages);

/* The kernel refused twice in a row, and some page that finds sg_span_forbidden has access: from
 * now on a guard is asked for also where one seems to be. */
HIDDEN void sg_page_guard_doubt(void);
HIDDEN MUST_USE bool sg_page_guard_is_doubted(void);

/* What has to be asked of the kernel before a run can be used: access to [open_from, open_end), and
 * none to [close_from, close_end). */
struct page_access {
    uintptr_t open_from;
    uintptr_t open_end;
    uintptr_t close_from;
    uintptr_t close_end;
    uintptr_t base; /* of the run */
    size_t pages;
};

/* Of a run in no set whose first `open_pages` are to be used and the rest to be a guard. */
HIDDEN struct page_access sg_page_access_of(const struct span *span, size_t open_pages);

/* Whether no page of a run in no set has access. */
HIDDEN MUST_USE bool sg_page_is_all_guarded(const struct span *span);

/* Without the lock. False: the kernel has no more mappings; the run is closed, as far as it lets
 * itself be, and to be given back so. */
HIDDEN MUST_USE bool sg_page_access_set(const struct page_access *access);

#endif
