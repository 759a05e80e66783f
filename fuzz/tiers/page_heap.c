#include "page_heap.h"

#include "list.h"
#include "object_pool.h"
#include "page_cache_state.h"
#include "page_guard.h"
#include "page_map.h"
#include "paper_kernel.h"
#include "tier.h"

#include <string.h>

ORACLES_BEGIN

static_assert((int)RUN_CLEAN == USE_CLEAN && (int)RUN_DIRTY == USE_DIRTY &&
                  (int)RUN_STUCK == USE_STUCK,
              "the model's words are those of the page cache");

static void check_taken(const struct run *run)
{
    const struct span *span = heap.spans[run->slot];

    tier_expect(span != NULL && span->slots.base == page_heap_address(run->first) &&
                    span->pages == run->pages,
                "a span in use lies elsewhere than it did");
    for (size_t i = 0; i < run->pages; i++)
        tier_expect(page_map_lookup(page_heap_address(run->first + i)) == span,
                    "a page of a span in use does not find it");
}

static bool is_closed(size_t page)
{
    return !paper_is_open(page_heap_address(page), PAGE_BYTES);
}

static void check_free(const struct run *run)
{
    const struct span *span = page_map_lookup(page_heap_address(run->first));

    tier_expect(span != NULL && span->slots.owner == SPAN_FREE &&
                    span->slots.base == page_heap_address(run->first) && span->pages == run->pages,
                "a free run has another length, or is not merged");
    tier_expect(span->slots.mark == run->use && span->space == run->space,
                "a free run is of another kind");
    tier_expect(page_map_lookup(page_heap_address(run->first + run->pages - 1)) == span,
                "the last page of a free run does not find it");
    for (size_t i = 1; i + 1 < run->pages; i++) {
        const struct span *found = page_map_lookup(page_heap_address(run->first + i));

        tier_expect(found == &sg_span_retired || found == &sg_span_forbidden,
                    "a page inside a free run finds a span");
    }
    for (size_t i = 0; i < run->pages; i++)
        tier_expect(!is_closed(run->first + i) || sg_page_is_guarded(span, i),
                    "a page without access is not marked");
    if (run->use == USE_CLEAN)
        tier_expect(!paper_is_written(page_heap_address(run->first), run->pages * PAGE_BYTES),
                    "a clean run holds memory");
}

static void check_ages(void)
{
    uint64_t age = 0;

    for (struct list_node *node = sg_page_cache.oldest_dirty; node != NULL; node = node->next) {
        const struct span *span = container_of(node, struct span, dirty_link);
        const struct run *run = run_model_after(&model, age);

        tier_expect(run != NULL && page_heap_address(run->first) == span->slots.base,
                    "dirty runs are not in the order of their ages");
        age = run->age;
    }
    tier_expect(run_model_after(&model, age) == NULL, "a dirty run is not in the list by age");
}

void page_heap_check(void)
{
    struct page_cache_statistics now;

    sg_page_cache_check();
    sg_page_cache_statistics(&now);
    tier_expect(now.mapped_bytes == model.mapped_pages * PAGE_BYTES &&
                    now.used_bytes == model.used_pages * PAGE_BYTES &&
                    sg_page_cache.dirty_pages == model.dirty_pages,
                "pages are lost or counted twice");
    tier_expect(now.clean_bytes + now.dirty_bytes + now.used_bytes == now.mapped_bytes,
                "free and used pages are not all pages");
    for (size_t i = 0; i < model.count; i++)
        if (model.runs[i].use == USE_TAKEN)
            check_taken(&model.runs[i]);
        else
            check_free(&model.runs[i]);
    check_ages();
}

void page_heap_reset(void)
{
    for (size_t i = 0; i < model.count; i++) {
        const struct run *run = &model.runs[i];

        sg_span_destroy(page_map_lookup(page_heap_address(run->first)));
        sg_page_map_set(page_heap_address(run->first), run->pages, NULL);
    }
    memset(&sg_page_cache, 0, sizeof(sg_page_cache));
    tier_expect(sg_object_pool_live_bytes() == heap.needed_bytes, "records of spans leak");
}

ORACLES_END
