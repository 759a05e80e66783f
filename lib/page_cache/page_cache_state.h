/* What the files of the page cache share; nobody else includes it. */
#ifndef SG_PAGE_CACHE_PAGE_CACHE_STATE_H
#define SG_PAGE_CACHE_PAGE_CACHE_STATE_H

#include "os_lock.h"
#include "page_runs.h"

/* span->slots.mark of a FREE run. */
enum run_kind {
    RUN_CLEAN = 0,
    RUN_DIRTY,
    RUN_STUCK, /* dirty, and the kernel would not take it (OS pages larger than the run) */
};

struct page_cache {
    struct lock lock; /* RANK_PAGE_CACHE; guards all of this */
    struct page_runs clean[SPACE_COUNT];
    struct page_runs dirty[SPACE_COUNT];
    struct list_node *oldest_dirty; /* by age, oldest first; through span->dirty_link */
    struct list_node *newest_dirty;
    size_t mapped_pages;
    size_t used_pages;
    size_t dirty_pages; /* in RUN_DIRTY runs */
    size_t purging_pages;
    size_t credit_pages;      /* dirty pages allowed beyond the rule, see page_purge.c */
    size_t unregretted_pages; /* purged lately and not asked for again */
    uint64_t last_purge_ms;
    uint64_t last_regret_ms;
    size_t purge_calls;
    _Atomic bool guards_are_doubted; /* relaxed: becomes true once; a late look costs a guard */
};

extern HIDDEN struct page_cache sg_page_cache;

/* Puts a run into its set and merges it with neighbours of its kind. Under the lock; the pages of
 * the span find `span`. */
HIDDEN void sg_page_cache_insert(struct span *span, enum run_kind kind);
HIDDEN void sg_page_cache_remove(struct span *span);

/* Cuts `span`, which is in no set, after `pages` pages; the rest becomes a free run of `kind`.
 * False if there is no memory for its record. Under the lock. */
HIDDEN MUST_USE bool sg_page_cache_split(struct span *span, size_t pages, enum run_kind kind);

/* Where classes are isolated, what was a large object never becomes slots, nor the other way. */
HIDDEN uint8_t sg_page_space_of(enum span_owner owner);

/* Under the lock, released and taken again inside. Gives dirty memory back until `keep_pages` of
 * it are left; returns the pages given back. */
HIDDEN size_t sg_page_cache_purge(size_t keep_pages);

/* Under the lock: notes that clean pages were handed out to one request. */
HIDDEN void sg_page_cache_note_clean_take(size_t pages);

/* Under the lock: how many dirty pages may stay, as of now. */
HIDDEN size_t sg_page_cache_dirty_limit(void);

#endif
