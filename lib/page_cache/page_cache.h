/* Tier 3: runs of pages, for spans of slots and for large objects.
 *
 * Best fit, split on the way out, merged with both neighbours on the way in. Free runs are of two
 * kinds, never merged with each other: CLEAN ones hold no memory and read as zero, DIRTY ones
 * still hold theirs. Dirty memory is bounded (see page_purge.c): it goes back to the kernel inside
 * the call that frees it, without any lock held; no thread of ours ever runs.
 *
 * Thread-safe throughout. Fork-safe by sg_page_cache_lock(). */
#ifndef SG_PAGE_CACHE_PAGE_CACHE_H
#define SG_PAGE_CACHE_PAGE_CACHE_H

#include "compiler.h"
#include "span.h"

struct page_request {
    size_t pages;           /* with access, ready for use */
    size_t guard_pages;     /* behind them, without access as far as the kernel allows */
    size_t alignment_pages; /* of the first page: a power of two */
    enum span_owner owner;
    bool may_be_closed; /* LARGE: where no page of the run has access, none gets it, and
                           is_closed_around of the span says so */
};

/* A span as requested; its geometry is for the caller to fill in. `*ret_zeroed`: all of it reads as
 * zero. NULL: the kernel has no more. */
HIDDEN MUST_USE struct span *sg_page_cache_take(struct page_request request, bool *ret_zeroed);

/* Takes a span back. `zeroed`: all of it is known to read as zero and to hold no memory. Pages from
 * `open_pages` on may have no access; they get it back before they are used again, unless they
 * become a guard. */
HIDDEN void sg_page_cache_give(struct span *span, bool zeroed, size_t open_pages);

/* Changes the length of a LARGE span in place. Growing fails if the pages behind are not free,
 * shrinking if there is no memory for one more record; then nothing has changed. `open_pages`: of
 * what is cut off, as above. */
HIDDEN MUST_USE bool sg_page_cache_extend(struct span *span, size_t pages);
HIDDEN MUST_USE bool sg_page_cache_shrink(struct span *span, size_t pages, size_t open_pages);

/* Gives all dirty memory beyond `keep_bytes` back to the kernel; returns the bytes given back. */
HIDDEN size_t sg_page_cache_trim(size_t keep_bytes);

/* Whether memory of so many pages would stay if it were given dirty now, and that it went back
 * instead: so that asking for it again soon counts as regret, see page_purge.c. */
HIDDEN MUST_USE bool sg_page_cache_would_keep(size_t pages);
HIDDEN void sg_page_cache_note_vacated(size_t pages);

/* Tells that `os_pages` more OS pages inside spans in use have no memory (fewer, if negative):
 * never touched yet, or given back. What may stay dirty goes by the memory in use. */
HIDDEN void sg_page_cache_note_absent(long os_pages);

struct page_cache_statistics {
    size_t mapped_bytes; /* address space for objects */
    size_t used_bytes;   /* in spans that are in use */
    size_t dirty_bytes;  /* free, memory kept */
    size_t clean_bytes;  /* free, no memory */
    size_t free_runs;
    size_t purge_calls; /* system calls that gave memory back */
};

HIDDEN void sg_page_cache_statistics(struct page_cache_statistics *ret_statistics);

HIDDEN struct lock *sg_page_cache_lock(void);

/* In a forked child whose parent was changing the page cache when it forked: forgets all free runs
 * and so loses their addresses, but nothing else. The caller also calls forget for each span of the
 * page map that is not in use, so that no neighbour merges with it. */
HIDDEN void sg_page_cache_abandon(void);
HIDDEN void sg_page_cache_forget(struct span *span);

/* Debug build: stops unless every free run keeps its invariants. */
HIDDEN void sg_page_cache_check(void);

#endif
