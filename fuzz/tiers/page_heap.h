/* What the page cache target holds, what must be true of it, and its end. */
#ifndef SG_FUZZ_TIERS_PAGE_HEAP_H
#define SG_FUZZ_TIERS_PAGE_HEAP_H

#include "page_cache.h"
#include "paper_kernel.h"
#include "run_model.h"

#define PAGE_SLOTS 64u

struct page_heap {
    struct span *spans[PAGE_SLOTS];
    size_t open_pages[PAGE_SLOTS]; /* in front, with access for sure */
    long absent_os_pages;
    size_t needed_bytes; /* of records, while there is no run */
    bool is_vague;       /* guards may be missing: a call failed, or where they are is not told */
};

extern struct run_model model;
extern struct page_heap heap;

static inline size_t page_heap_page(uintptr_t address)
{
    return (address - PAPER_BASE) / PAGE_BYTES;
}

static inline uintptr_t page_heap_address(size_t page)
{
    return PAPER_BASE + page * PAGE_BYTES;
}

/* Model, page map, ledger and counters say the same. */
void page_heap_check(void);

/* As in a process that never asked for a page; nothing is in use. */
void page_heap_reset(void);

#endif
