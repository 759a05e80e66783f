#include "large.h"

#include "os_memory.h"
#include "page_cache.h"
#include "size_class.h"

/* From here on moving page tables beats copying; below, the two mappings that each move splits off
 * would not be worth it. Measured with tests/memory/lazy.c. */
#define REMAP_BYTES_MIN (1 * MIB)
#define REMAPS_MAX 8192u

static _Atomic uint32_t remap_count; /* relaxed: a bound, a few more do no harm */

static _Atomic size_t live_count; /* relaxed: a statistic */

size_t sg_large_live_count(void)
{
    return load_relaxed(&live_count);
}

void *sg_large_take(size_t bytes, size_t alignment, uint8_t maker, bool *ret_zeroed)
{
    size_t alignment_pages = alignment <= PAGE_BYTES ? 1 : alignment / PAGE_BYTES;
    size_t pages = pages_of_bytes(bytes == 0 ? 1 : bytes);

    struct span *span = sg_page_cache_take(pages, alignment_pages, SPAN_LARGE, ret_zeroed);
    if (span == NULL)
        return NULL;
    span->slots.inverse = 1;
    span->slots.rotation = 0;
    span->slots.class = CLASS_LARGE;
    span->slots.states = &span->large_state;
    store_relaxed(&span->large_state, maker);
    span->slots.slot_count = 1;
    atomic_fetch_add_explicit(&live_count, 1, memory_order_relaxed);
    return (void *)span->slots.base;
}

bool sg_large_claim(struct span *span, uint8_t state)
{
    /* Read-modify-write, unlike small slots: no batch would find a second free later. Relaxed: the
     * page cache's lock orders what follows. */
    return atomic_compare_exchange_strong_explicit(&span->large_state, &state, SLOT_RESIZING,
                                                   memory_order_relaxed, memory_order_relaxed);
}

void sg_large_give(struct span *span)
{
    store_relaxed(&span->large_state, SLOT_CENTRAL);
    atomic_fetch_sub_explicit(&live_count, 1, memory_order_relaxed);
    sg_page_cache_give(span, false);
}

bool sg_large_resize(struct span *span, size_t bytes)
{
    size_t pages = pages_of_bytes(bytes);

    if (pages > span->pages)
        return sg_page_cache_extend(span, pages);
    return pages == span->pages || sg_page_cache_shrink(span, pages);
}

/* The mappings that moves split off are never joined again; no more than a part of what the kernel
 * allows a process (vm.max_map_count, 65,530 by default) may go into them. */
static bool may_remap(size_t bytes)
{
    return bytes >= REMAP_BYTES_MIN &&
           atomic_fetch_add_explicit(&remap_count, 1, memory_order_relaxed) < REMAPS_MAX;
}

bool sg_large_move(struct span *to, struct span *from, size_t bytes)
{
    size_t whole_bytes = bytes & ~(sg_os_page_bytes - 1);
    char *target = (char *)to->slots.base;
    char *source = (char *)from->slots.base;
    enum os_move moved = OS_NOT_MOVED;

    if (may_remap(bytes))
        moved = sg_os_move(target, source, whole_bytes);
    if (moved == OS_TARGET_LOST)
        return false;
    if (moved == OS_NOT_MOVED)
        whole_bytes = 0;
    __builtin_memcpy(target + whole_bytes, source + whole_bytes, bytes - whole_bytes);
    return true;
}
