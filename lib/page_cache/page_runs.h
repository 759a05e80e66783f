/* Free runs by length: the shortest one that fits, in few steps. Knows no lock and no neighbour;
 * the page cache holds its lock around every call.
 *
 * Runs of up to RUNS_LISTED_PAGES pages are in one list for each length, longer ones in a treap
 * ordered by (length, address) (Aragon and Seidel 1989; priorities are a hash of the address). */
#ifndef SG_PAGE_CACHE_PAGE_RUNS_H
#define SG_PAGE_CACHE_PAGE_RUNS_H

#include "compiler.h"
#include "span.h"

#define RUNS_LISTED_PAGES 128u

/* All zero is empty. */
struct page_runs {
    struct list_node *listed[RUNS_LISTED_PAGES]; /* [n - 1]: runs of n pages */
    uint64_t nonempty[RUNS_LISTED_PAGES / 64];   /* bit n - 1: listed[n - 1] has one */
    struct span *longer;
    size_t pages;
    size_t runs;
};

HIDDEN void sg_page_runs_insert(struct page_runs *runs, struct span *span);
HIDDEN void sg_page_runs_remove(struct page_runs *runs, struct span *span);

/* The shortest run of at least `pages`, left where it is; NULL if there is none. */
HIDDEN struct span *sg_page_runs_best_fit(const struct page_runs *runs, size_t pages);

#endif
