#include "bounds.h"

#include "arena.h"
#include "central_list.h"
#include "central_state.h"
#include "object_pool.h"
#include "options.h"
#include "page_cache.h"
#include "page_cache_state.h"
#include "page_map.h"
#include "policy.h"
#include "sample.h"
#include "thread_registry.h"
#include "typed.h"

#include <string.h>

#define NO_SLOT OPS_SLOTS
#define FREE_LEASE_BYTES ((size_t)2048) /* as in thread_registry.c */
#define LEASE_STEP_BYTES (32 * KIB)
#define SWEEP_BYTES_MIN (512 * KIB) /* as in central_sweep.c */

static void expect(bool condition, const char *oracle)
{
    if (!condition)
        shadow_fail(oracle, NO_SLOT);
}

static struct thread_cache *own_cache(void)
{
    struct thread_cache *cache = sg_thread_cache_self;

    return cache == &sg_thread_cache_none ? NULL : cache;
}

static void check_cache(const struct thread_cache *cache)
{
    size_t bytes = 0;

    for (uint32_t class = 0; class < CLASS_COUNT; class ++) {
        const struct cache_bin *bin = &cache->bins[class];

        expect(load_relaxed(&bin->count) <= bin->capacity, "a bin holds more than it may");
        bytes += (size_t)bin->capacity * sg_size_classes[class].slot_bytes;
    }
    expect(bytes == cache->capacity_bytes, "the capacity of a cache is not that of its bins");
    expect(bytes <= cache->leased_bytes, "a cache is larger than its lease");
    expect(bytes <= sg_options.thread_cache_bytes + LEASE_STEP_BYTES, /* rounded up */
           "a thread caches beyond its bound");
}

static struct {
    size_t credit_pages; /* most of the input */
    size_t mapped_pages;
} seen;

/* A purge may leave half of what may be dirty; the share counts what is mapped, which is more than
 * what is in use. */
static void check_dirty(void)
{
    size_t floor_pages = pages_of_bytes(sg_options.dirty_bytes);

    if (sg_page_cache.credit_pages > seen.credit_pages)
        seen.credit_pages = sg_page_cache.credit_pages;
    if (sg_page_cache.mapped_pages > seen.mapped_pages)
        seen.mapped_pages = sg_page_cache.mapped_pages;
    expect(sg_page_cache.dirty_pages <= floor_pages + seen.mapped_pages / 8 + seen.credit_pages,
           "more memory is dirty than may be");
}

static void check_sweep(uint32_t class)
{
    const struct central_list *list = &sg_central[class];
    const struct size_class *info = &sg_size_classes[class];
    size_t live = (size_t)list->spans * info->slot_count - list->free_slots;
    size_t step = SWEEP_BYTES_MIN / info->slot_bytes + 1;

    if (live / 8 > step)
        step = live / 8;
    expect(list->unswept <= step + list->sweep_credit, "a sweep is overdue");
}

/* Which class the pages of a live block belong to, where classes keep their addresses. */
static struct {
    uint8_t class_of[ARENA_BYTES / PAGE_BYTES]; /* and one; 0: unknown */
    uint32_t noted[4096];
    size_t noted_count;
} isolation;

static void check_isolated(const struct span *span)
{
    for (uintptr_t page = span_start(span); page < span_end(span); page += PAGE_BYTES) {
        size_t index = page % ARENA_BYTES / PAGE_BYTES;
        uint8_t known = isolation.class_of[index];
        uint8_t class = span->slots.owner == SPAN_LARGE ? CLASS_LARGE + 1 : 1;

        expect(known == 0 || known == class, "slots and large objects exchanged addresses");
        if (known != 0 || isolation.noted_count == sizeof(isolation.noted) / sizeof(uint32_t))
            continue;
        isolation.noted[isolation.noted_count++] = (uint32_t)index;
        isolation.class_of[index] = class;
    }
}

void bounds_start(void)
{
    while (isolation.noted_count > 0)
        isolation.class_of[isolation.noted[--isolation.noted_count]] = 0;
    memset(&seen, 0, sizeof(seen));
}

void bounds_check(const struct shadow *shadow)
{
    if (own_cache() != NULL)
        check_cache(own_cache());
    check_dirty();
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        check_sweep(class);
    for (unsigned slot = 0; slot < OPS_SLOTS && sg_options.isolate_classes != 0; slot++)
        if (shadow->blocks[slot].address != NULL)
            check_isolated(page_map_lookup((uintptr_t)shadow->blocks[slot].address));
}

/* What the pool takes for a record of so many bytes. */
static size_t record_bytes(size_t bytes)
{
    size_t before = sg_object_pool_live_bytes();
    void *record = sg_object_pool_take(bytes);
    size_t taken = sg_object_pool_live_bytes() - before;

    expect(record != NULL, "there is no memory for a record");
    sg_object_pool_give(record, bytes);
    return taken;
}

static size_t needed_by_class(uint32_t class)
{
    const struct central_list *list = &sg_central[class];
    size_t slots = (size_t)TRANSFER_BATCHES * sg_size_classes[class].batch;
    size_t bytes = list->transfer == NULL ? 0 : record_bytes(slots * sizeof(*list->transfer));

    for (const struct list_node *node = list->spare; node != NULL; node = node->next)
        bytes += sizeof(struct span);
    return bytes;
}

/* A thread's cache, arrays for batches, and one record for each run that is free. */
void bounds_check_records(void)
{
    struct page_cache_statistics pages;
    size_t needed = own_cache() == NULL ? 0 : record_bytes(sizeof(struct thread_cache));

    for (uint32_t partition = 1; partition < TYPED_PARTITIONS; partition++)
        if (sg_typed_is_used(partition))
            return; /* keeps its spans for ever */
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        needed += needed_by_class(class);
    sg_page_cache_statistics(&pages);
    needed += pages.free_runs * sizeof(struct span);
    expect(sg_object_pool_live_bytes() == needed, "records of ours leak");
}

static void check_samples(void)
{
    for (uint32_t i = 1; i <= sg_options.sample_slots && sg_sample_of(i) != NULL; i++)
        expect(!load_relaxed(&sg_sample_of(i)->is_used), "a sample never ends");
}

/* All of the common bound can be leased again. */
static void check_leases(void)
{
    static struct thread_cache tenant;
    size_t each = sg_options.thread_cache_bytes < FREE_LEASE_BYTES
                      ? 0
                      : (sg_options.thread_cache_bytes - FREE_LEASE_BYTES) / LEASE_STEP_BYTES;
    size_t left = sg_options.thread_caches_bytes / LEASE_STEP_BYTES;
    size_t leased = 0;

    while (each > 0 && left > 0) {
        size_t steps = each < left ? each : left;

        tenant.leased_bytes = FREE_LEASE_BYTES;
        expect(sg_thread_cache_lease(&tenant, FREE_LEASE_BYTES + steps * LEASE_STEP_BYTES),
               "a part of the common bound is lost");
        left -= steps;
        leased += steps * LEASE_STEP_BYTES;
    }
    tenant.leased_bytes = FREE_LEASE_BYTES + leased;
    sg_thread_cache_return_lease(&tenant);
}

void bounds_check_end(void)
{
    if (own_cache() != NULL)
        expect(own_cache()->capacity_bytes == 0, "a drained cache has a capacity");
    bounds_check_records();
    check_samples();
    check_leases();
}

static struct {
    const struct thread_cache *cache; /* NULL: there was none, or it had nothing in quarantine */
    const struct cache_bin *bin;
    uint32_t count;
    uint32_t slow_events;
} before;

void bounds_before_malloc(size_t bytes)
{
    struct thread_cache *cache = own_cache();
    uint32_t class = policy_class_of(bytes);

    before.cache = NULL;
    if (cache == NULL || class == CLASS_LARGE)
        return;
    before.bin = &cache->bins[class];
    before.count = load_relaxed(&before.bin->count);
    before.slow_events = cache->slow_events;
    if (before.count > 0 && before.count <= before.bin->floor)
        before.cache = cache;
}

void bounds_after_malloc(unsigned slot)
{
    if (before.cache != NULL && before.cache->slow_events == before.slow_events &&
        load_relaxed(&before.bin->count) < before.count)
        shadow_fail("a block left its quarantine when no other was there", slot);
}

void bounds_after_free(const void *block, unsigned slot)
{
    struct thread_cache *cache = own_cache();
    const struct span *span = page_map_lookup((uintptr_t)block);
    struct free_slot top;

    if (cache == NULL || span == NULL || span->slots.owner != SPAN_CENTRAL)
        return;
    const struct cache_bin *bin = &cache->bins[span->slots.class];
    uint32_t count = load_relaxed(&bin->count);
    if (bin->floor == 0 || count <= bin->floor)
        return;
    if (entry_decode(&bin->entries[count - 1], &top) && top.slot == block)
        shadow_fail("a block leaves its quarantine at once", slot);
}
