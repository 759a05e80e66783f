#include "walk.h"

#include "arena.h"
#include "central_list.h"
#include "central_state.h"
#include "lifecycle.h"
#include "object_pool.h"
#include "os_memory.h"
#include "page_cache.h"
#include "page_cache_state.h"
#include "page_map.h"
#include "pool.h"
#include "thread_registry.h"

#include <string.h>

#define NO_SLOT OPS_SLOTS

static void expect(bool condition, const char *oracle)
{
    if (!condition)
        shadow_fail(oracle, NO_SLOT);
}

/* A span with free slots that is in no list would never serve again; nobody outside could tell. */
static void check_class(uint32_t class)
{
    const struct central_list *list = &sg_central[class];
    size_t free_slots = 0;
    size_t spans = 0;

    sg_central_check(class);
    for (uint32_t i = 0; i < FULLNESS_LISTS; i++)
        for (struct list_node *node = list->by_fullness[i]; node != NULL; node = node->next) {
            const struct span *span = container_of(node, struct span, link);

            expect(span->slots.mark == i, "a span is in another list than it says");
            expect(span->slots.owner == SPAN_CENTRAL && span->slots.class == class,
                   "a span is in the list of another class");
            expect(span->free_slots > 0 && span->free_slots < span->slots.slot_count,
                   "a listed span is full or empty");
            free_slots += span->free_slots;
            expect(++spans <= list->spans, "a list has more spans than the class");
        }
    expect(free_slots == list->free_slots, "free slots are in no list");
}

static size_t pages_of(const struct page_runs *spaces)
{
    size_t pages = 0;

    for (unsigned space = 0; space < SPACE_COUNT; space++)
        pages += spaces[space].pages;
    return pages;
}

static void check_page_cache(void)
{
    size_t dirty_pages = 0;

    sg_page_cache_check();
    for (struct list_node *node = sg_page_cache.oldest_dirty; node != NULL; node = node->next) {
        const struct span *span = container_of(node, struct span, dirty_link);

        expect(span->slots.owner == SPAN_FREE && span->slots.mark == RUN_DIRTY,
               "the list by age holds a run that is not dirty");
        expect(node->next != NULL || node == sg_page_cache.newest_dirty,
               "the list by age has another end");
        dirty_pages += span->pages;
    }
    expect(dirty_pages == sg_page_cache.dirty_pages, "dirty pages are in no list");
    expect(sg_page_cache.purging_pages == 0 && pages_of(sg_page_cache.clean) +
                                                       pages_of(sg_page_cache.dirty) +
                                                       sg_page_cache.used_pages ==
                                                   sg_page_cache.mapped_pages,
           "pages are lost or counted twice");
}

static void check_block(const struct shadow_block *block, unsigned slot)
{
    const struct span *span = page_map_lookup((uintptr_t)block->address);

    if (span == NULL || slot_state_of(&span->slots, block->address) == NULL)
        shadow_fail("a live block has no span", slot);
    sg_span_check(span);
}

void walk_lists(const struct shadow *shadow)
{
    check_page_cache();
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        check_class(class);
    for (unsigned slot = 0; slot < OPS_SLOTS; slot++)
        if (shadow->blocks[slot].address != NULL)
            check_block(&shadow->blocks[slot], slot);
}

void walk_check(const struct shadow *shadow)
{
    walk_lists(shadow);
    (void)walk_spans(shadow);
}

void walk_statistics(const struct shadow *shadow)
{
    struct pool_statistics statistics;
    size_t live_bytes = 0;
    size_t large_bytes = 0;
    size_t large_count = 0;

    for (unsigned slot = 0; slot < OPS_SLOTS; slot++) {
        const struct shadow_block *block = &shadow->blocks[slot];
        const struct span *span;

        if (block->address == NULL)
            continue;
        span = page_map_lookup((uintptr_t)block->address);
        if (span != NULL && span->slots.class == CLASS_LARGE) {
            large_bytes += block->usable_bytes;
            large_count++;
        }
        live_bytes += span == NULL || span->slots.class == CLASS_LARGE
                          ? block->usable_bytes
                          : sg_size_classes[span->slots.class].slot_bytes;
    }
    sg_pool_statistics(&statistics);
    expect(statistics.live_bytes == live_bytes, "live bytes are counted wrongly");
    expect(statistics.large_bytes == large_bytes && statistics.large_count == large_count,
           "large blocks are counted wrongly");
}

void walk_trimmed(size_t keep_bytes)
{
    expect(sg_page_cache.dirty_pages <= keep_bytes / PAGE_BYTES, "a trim left memory behind");
}

void walk_end(void)
{
    struct pool_statistics statistics;
    static const struct shadow nothing;

    (void)sg_pool_trim(0);
    walk_check(&nothing);
    sg_pool_statistics(&statistics);
    expect(statistics.live_bytes == 0 && statistics.large_count == 0, "at the end a block lives");
    expect(statistics.cached_bytes == 0, "at the end a cache holds slots");
    expect(statistics.central_bytes == 0, "at the end a span holds slots");
    expect(statistics.dirty_bytes == 0 &&
               statistics.clean_bytes + walk_spans(&nothing) == statistics.mapped_bytes,
           "at the end memory is not given back");
    arena_expect_clean();
}
