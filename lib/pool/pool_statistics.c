#include "central_guard.h"
#include "central_list.h"
#include "large.h"
#include "lifecycle.h"
#include "metadata.h"
#include "os_guard.h"
#include "page_cache.h"
#include "pool.h"
#include "thread_registry.h"
#include "typed.h"

/* The tiers are asked one after the other while threads go on: sums may be off by what moved in
 * between. Never below zero. */
static size_t difference(size_t from, size_t what)
{
    return from > what ? from - what : 0;
}

static void add_class(struct pool_statistics *statistics, uint32_t class, size_t cached_slots)
{
    struct central_statistics central;
    size_t slot_bytes = sg_size_classes[class].slot_bytes;

    sg_central_statistics(class, &central);
    statistics->cached_bytes += cached_slots * slot_bytes;
    statistics->central_bytes += (central.free_slots + central.transfer_slots) * slot_bytes;
    statistics->live_bytes +=
        difference(central.carved_slots,
                   central.free_slots + central.transfer_slots + cached_slots) *
        slot_bytes;
}

void sg_pool_statistics(struct pool_statistics *ret_statistics)
{
    struct page_cache_statistics pages;
    struct thread_cache_statistics threads;
    struct os_guard_statistics guards;
    struct typed_statistics typed;

    lifecycle_start();
    *ret_statistics = (struct pool_statistics){.mapped_bytes = 0};
    sg_thread_registry_statistics(&threads);
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        add_class(ret_statistics, class, threads.cached_slots[class]);
    ret_statistics->large_bytes = sg_large_live_bytes();
    ret_statistics->large_count = sg_large_live_count();
    sg_os_guard_statistics(&guards);
    sg_typed_statistics(&typed);
    sg_page_cache_statistics(&pages); /* last: what is mapped only grows, and holds the rest */
    ret_statistics->mapped_bytes = pages.mapped_bytes + typed.mapped_bytes;
    ret_statistics->metadata_bytes = sg_metadata_mapped_bytes();
    ret_statistics->live_bytes += ret_statistics->large_bytes + typed.live_bytes;
    if (ret_statistics->live_bytes > ret_statistics->mapped_bytes)
        ret_statistics->live_bytes = ret_statistics->mapped_bytes; /* counted in two tiers */
    ret_statistics->dirty_bytes = pages.dirty_bytes;
    ret_statistics->clean_bytes = pages.clean_bytes;
    ret_statistics->free_runs = pages.free_runs;
    ret_statistics->thread_caches = threads.caches;
    ret_statistics->purge_calls = pages.purge_calls;
    ret_statistics->guard_bytes = sg_central_guard_bytes();
    ret_statistics->guard_mappings = guards.by_mprotect;
    ret_statistics->guards_refused = guards.refused;
}
