/* When memory goes back to the kernel.
 *
 * The rule: dirty pages may be an eighth of the pages in use, and at least `dirty_bytes` (option).
 * Beyond that the oldest go back until half of the limit is left: large amounts at once, so that
 * no program pays a system call for each free. As a heap shrinks so does its eighth; an emptied
 * heap ends near the floor, inside the last calls of free.
 *
 * The exception: a program that frees and allocates the same amount in turn would pay for faults
 * each round. When clean pages are handed out within REGRET_MS of a purge, that purge was a mistake
 * ("regret"), and as many pages are allowed on top from then on (credit). Credit that no further
 * regret renews halves every REGRET_MS. Requests so large that their faults are lost in the work of
 * filling them earn none. */
#include "page_cache_state.h"

#include "options.h"
#include "os_guard.h"
#include "os_memory.h"
#include "os_thread.h"
#include "page_cache.h"
#include "page_guard.h"
#include "page_map.h"

#define CREDIT_MAX_PAGES (256 * MIB / PAGE_BYTES)
#define REGRET_MAX_PAGES (8 * MIB / PAGE_BYTES) /* of one request */
#define REGRET_MS 100u
#define PURGE_BATCH 64u /* runs taken out at once, while the lock is free for others */

static _Atomic long absent_os_pages; /* relaxed: a sum, it orders nothing */

void sg_page_cache_note_absent(long os_pages)
{
    atomic_fetch_add_explicit(&absent_os_pages, os_pages, memory_order_relaxed);
}

static size_t pages_with_memory(void)
{
    long absent = load_relaxed(&absent_os_pages);
    size_t absent_pages = absent < 0 ? 0 : (size_t)absent * sg_os_page_bytes / PAGE_BYTES;

    return absent_pages < sg_page_cache.used_pages ? sg_page_cache.used_pages - absent_pages : 0;
}

static size_t credit_now(void)
{
    if (sg_page_cache.credit_pages == 0)
        return 0;

    uint64_t now = sg_os_milliseconds();
    uint64_t periods = (now - sg_page_cache.last_regret_ms) / REGRET_MS;
    if (periods > 1) {
        sg_page_cache.credit_pages = periods > 32 ? 0 : sg_page_cache.credit_pages >> (periods - 1);
        sg_page_cache.last_regret_ms = now - REGRET_MS;
    }
    return sg_page_cache.credit_pages;
}

size_t sg_page_cache_dirty_limit(void)
{
    size_t floor_pages = pages_of_bytes(sg_options.dirty_bytes);
    size_t share = pages_with_memory() / 8;

    return (share > floor_pages ? share : floor_pages) + credit_now();
}

void sg_page_cache_note_clean_take(size_t pages)
{
    size_t regretted = pages < sg_page_cache.unregretted_pages ? pages
                                                               : sg_page_cache.unregretted_pages;

    if (regretted == 0 || pages > REGRET_MAX_PAGES)
        return;

    uint64_t now = sg_os_milliseconds();
    if (now - sg_page_cache.last_purge_ms > REGRET_MS) {
        sg_page_cache.unregretted_pages = 0; /* too late to call it a mistake */
        return;
    }
    sg_page_cache.unregretted_pages -= regretted;
    sg_page_cache.credit_pages += regretted;
    sg_page_cache.last_regret_ms = now;
    if (sg_page_cache.credit_pages > CREDIT_MAX_PAGES)
        sg_page_cache.credit_pages = CREDIT_MAX_PAGES;
}

static void note_purge(size_t pages)
{
    uint64_t now = sg_os_milliseconds();

    if (now - sg_page_cache.last_purge_ms > REGRET_MS)
        sg_page_cache.unregretted_pages = 0;
    sg_page_cache.last_purge_ms = now;
    sg_page_cache.unregretted_pages += pages;
}

bool sg_page_cache_would_keep(size_t pages)
{
    lock_acquire(&sg_page_cache.lock, RANK_PAGE_CACHE);
    bool keeps = sg_page_cache.dirty_pages + pages <= sg_page_cache_dirty_limit();
    lock_release(&sg_page_cache.lock, RANK_PAGE_CACHE);
    return keeps;
}

void sg_page_cache_note_vacated(size_t pages)
{
    lock_acquire(&sg_page_cache.lock, RANK_PAGE_CACHE);
    note_purge(pages);
    lock_release(&sg_page_cache.lock, RANK_PAGE_CACHE);
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

/* Nobody else looks: the pages of a run that is being purged are no neighbours of anyone. */
static void note_access(struct span *span, bool is_guarded)
{
    sg_page_map_set(span->slots.base, span->pages, sg_page_mark(is_guarded));
    span->first_guarded = is_guarded;
    span->last_guarded = is_guarded;
}

/* Guards of old that lie inside the run may be gone: it is closed in the other way, so that freed
 * objects stay closed in memory that is locked; or else no guard is believed in any more. */
static enum os_vacated vacate(struct span *span)
{
    enum os_vacated result = sg_os_vacate((void *)span->slots.base, span_bytes(span));

    if (result == OS_VACATED)
        note_access(span, true);
    if (result != OS_GUARDS_LOST)
        return result;
    if (sg_os_forbid_and_keep((void *)span->slots.base, span_bytes(span)))
        note_access(span, true);
    else if (sg_os_allow((void *)span->slots.base, span_bytes(span)))
        note_access(span, false);
    else
        sg_page_guard_doubt();
    return result;
}

/* True: the run holds no memory any more. A clean run promises zeroes, so whoever still writes
 * there had better be stopped: if that splits no mapping, nobody has access to it. */
static bool give_memory_back(struct span *span)
{
    void *base = (void *)span->slots.base;
    size_t bytes = span_bytes(span);
    bool whole = ((span->slots.base | bytes) & (sg_os_page_bytes - 1)) == 0;

    if (sg_options.guard_free != 0 && whole && vacate(span) == OS_VACATED)
        return true;
    return sg_os_purge(base, bytes);
}

static void purge_batch(struct span *batch)
{
    for (struct span *span = batch; span != NULL; span = next_of(span)) {
        span->slots.mark = give_memory_back(span) ? RUN_CLEAN : RUN_STUCK;
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

/* No two free runs of a like kind and the same space touch. */
static void check_run(const struct span *span)
{
    const struct span *above = page_map_lookup(span_end(span));

    ASSERT(span->slots.owner == SPAN_FREE);
    ASSERT(above == NULL || above->slots.owner != SPAN_FREE || above->space != span->space ||
           (above->slots.mark == RUN_CLEAN) != (span->slots.mark == RUN_CLEAN));
    sg_span_check(span);
    (void)above;
}

static void check_tree(const struct span *span)
{
    if (span == NULL)
        return;
    ASSERT(span->pages > RUNS_LISTED_PAGES);
    check_run(span);
    check_tree(span->left);
    check_tree(span->right);
}

static void check_runs(const struct page_runs *runs)
{
    for (size_t i = 0; i < RUNS_LISTED_PAGES; i++) {
        ASSERT((runs->listed[i] != NULL) == ((runs->nonempty[i / 64] >> (i % 64) & 1) != 0));
        for (struct list_node *node = runs->listed[i]; node != NULL; node = node->next) {
            const struct span *span = container_of(node, struct span, link);

            ASSERT(span->pages == i + 1);
            check_run(span);
        }
    }
    check_tree(runs->longer);
}

void sg_page_cache_check(void)
{
    if (!SG_DEBUG_CHECKS)
        return;
    lock_acquire(&sg_page_cache.lock, RANK_PAGE_CACHE);
    for (uint32_t space = 0; space < SPACE_COUNT; space++) {
        check_runs(&sg_page_cache.clean[space]);
        check_runs(&sg_page_cache.dirty[space]);
    }
    lock_release(&sg_page_cache.lock, RANK_PAGE_CACHE);
}
