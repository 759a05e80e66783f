/* When memory goes back to the kernel.
 *
 * The rule: dirty pages may be an eighth of the pages in use, and at least `dirty_bytes` (option).
 * Beyond that the oldest go back until half of the limit is left: large amounts at once, so that
 * no program pays a system call for each free. As a heap shrinks so does its eighth; an emptied
 * heap ends near the floor, inside the last calls of free.
 *
 * The exception: a program that frees and allocates the same amount in turn would pay for faults
 * each round. When clean pages are handed out within REGRET_MS of a purge, that purge was a mistake
 * ("regret"), and as many pages are allowed on top from then on (credit, at most CREDIT_MAX). A
 * purge that nobody regrets in that time takes a quarter of the credit away again. */
#include "page_cache_state.h"

#include "options.h"
#include "os_memory.h"
#include "os_thread.h"
#include "page_cache.h"
#include "page_map.h"

#define CREDIT_MAX_PAGES (256 * MIB / PAGE_BYTES)
#define REGRET_MS 100u
#define PURGE_BATCH 64u /* runs taken out at once, while the lock is free for others */

size_t sg_page_cache_dirty_limit(void)
{
    size_t floor_pages = pages_of_bytes(sg_options.dirty_bytes);
    size_t share = sg_page_cache.used_pages / 8;

    return (share > floor_pages ? share : floor_pages) + sg_page_cache.credit_pages;
}

void sg_page_cache_note_clean_take(size_t pages)
{
    size_t regretted = pages < sg_page_cache.unregretted_pages ? pages
                                                               : sg_page_cache.unregretted_pages;

    if (regretted == 0)
        return;
    if (sg_os_milliseconds() - sg_page_cache.last_purge_ms > REGRET_MS) {
        sg_page_cache.unregretted_pages = 0; /* too late to call it a mistake */
        sg_page_cache.purge_was_right = true;
        return;
    }
    sg_page_cache.unregretted_pages -= regretted;
    sg_page_cache.credit_pages += regretted;
    if (sg_page_cache.credit_pages > CREDIT_MAX_PAGES)
        sg_page_cache.credit_pages = CREDIT_MAX_PAGES;
}

static void note_purge(size_t pages)
{
    uint64_t now = sg_os_milliseconds();

    if (now - sg_page_cache.last_purge_ms > REGRET_MS) {
        if (sg_page_cache.unregretted_pages > 0 || sg_page_cache.purge_was_right)
            sg_page_cache.credit_pages -= (sg_page_cache.credit_pages + 3) / 4;
        sg_page_cache.unregretted_pages = 0;
        sg_page_cache.purge_was_right = false;
    }
    sg_page_cache.last_purge_ms = now;
    sg_page_cache.unregretted_pages += pages;
}

/* Takes the oldest dirty runs out, linked through span->link; at most PURGE_BATCH. */
static struct span *take_oldest(size_t keep_pages)
{
    struct span *batch = NULL;

    for (unsigned i = 0; i < PURGE_BATCH && sg_page_cache.dirty_pages > keep_pages; i++) {
        struct span *span = container_of(sg_page_cache.oldest_dirty, struct span, dirty_link);

        sg_page_cache_remove(span);
        span->slots.owner = SPAN_PURGING;
        sg_page_cache.purging_pages += span->pages;
        span->link.next = batch == NULL ? NULL : &batch->link;
        batch = span;
    }
    return batch;
}

static struct span *next_of(const struct span *span)
{
    return span->link.next == NULL ? NULL : container_of(span->link.next, struct span, link);
}

static void purge_batch(struct span *batch)
{
    for (struct span *span = batch; span != NULL; span = next_of(span)) {
        bool clean = sg_os_purge((void *)span->slots.base, span_bytes(span));

        span->slots.mark = clean ? RUN_CLEAN : RUN_STUCK;
    }
}

static size_t return_batch(struct span *batch)
{
    size_t pages = 0;

    for (struct span *span = batch; span != NULL;) {
        struct span *next = next_of(span);
        enum run_kind kind = span->slots.mark;

        sg_page_cache.purge_calls++;
        sg_page_cache.purging_pages -= span->pages;
        pages += kind == RUN_CLEAN ? span->pages : 0;
        sg_page_cache_insert(span, kind);
        span = next;
    }
    return pages;
}

size_t sg_page_cache_purge(size_t keep_pages)
{
    size_t purged_pages = 0;
    size_t budget = sg_page_cache.dirty_pages; /* others may add more: theirs to purge */

    note_purge(budget - (keep_pages < budget ? keep_pages : budget));
    while (sg_page_cache.dirty_pages > keep_pages && purged_pages < budget) {
        struct span *batch = take_oldest(keep_pages);

        lock_release(&sg_page_cache.lock, RANK_PAGE_CACHE);
        purge_batch(batch);
        lock_acquire(&sg_page_cache.lock, RANK_PAGE_CACHE);
        purged_pages += return_batch(batch);
    }
    return purged_pages;
}

size_t sg_page_cache_trim(size_t keep_bytes)
{
    lock_acquire(&sg_page_cache.lock, RANK_PAGE_CACHE);
    size_t pages = sg_page_cache_purge(keep_bytes / PAGE_BYTES);
    lock_release(&sg_page_cache.lock, RANK_PAGE_CACHE);
    return pages * PAGE_BYTES;
}

static void check_tree(const struct span *span)
{
    if (span == NULL)
        return;
    ASSERT(span->pages > RUNS_LISTED_PAGES);
    sg_span_check(span);
    check_tree(span->left);
    check_tree(span->right);
}

static void check_runs(const struct page_runs *runs)
{
    for (size_t i = 0; i < RUNS_LISTED_PAGES; i++) {
        ASSERT((runs->listed[i] != NULL) == ((runs->nonempty[i / 64] >> (i % 64) & 1) != 0));
        for (struct list_node *node = runs->listed[i]; node != NULL; node = node->next) {
            const struct span *span = container_of(node, struct span, link);

            ASSERT(span->pages == i + 1 && span->slots.owner == SPAN_FREE);
            sg_span_check(span);
        }
    }
    check_tree(runs->longer);
}

void sg_page_cache_check(void)
{
    if (!SG_DEBUG_CHECKS)
        return;
    lock_acquire(&sg_page_cache.lock, RANK_PAGE_CACHE);
    check_runs(&sg_page_cache.clean);
    check_runs(&sg_page_cache.dirty);
    lock_release(&sg_page_cache.lock, RANK_PAGE_CACHE);
}
