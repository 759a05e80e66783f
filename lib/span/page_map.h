/* Radix tree from page to span: the only thing that turns an address into metadata.
 *
 * Look-ups are lock-free and safe on any 64-bit value at all, also on what was never ours. Two
 * levels serve the 48-bit addresses that kernels hand out unless asked otherwise; a third one
 * above them those of up to 57 bits. Nodes are never freed, so that a look-up needs no protection;
 * their untouched parts cost address space only. */
#ifndef SG_SPAN_PAGE_MAP_H
#define SG_SPAN_PAGE_MAP_H

#include "compiler.h"
#include "units.h"

struct span;

#define PAGE_MAP_LEAF_BITS 18 /* a leaf maps 2 GiB */
#define PAGE_MAP_LEAF_ENTRIES ((size_t)1 << PAGE_MAP_LEAF_BITS)
#define PAGE_MAP_NEAR_BITS 48
#define PAGE_MAP_FAR_BITS 57
#define PAGE_MAP_LEAF_SHIFT (PAGE_SHIFT + PAGE_MAP_LEAF_BITS)
#define PAGE_MAP_ROOT_ENTRIES ((size_t)1 << (PAGE_MAP_NEAR_BITS - PAGE_MAP_LEAF_SHIFT))
#define PAGE_MAP_FAR_ENTRIES ((size_t)1 << (PAGE_MAP_FAR_BITS - PAGE_MAP_NEAR_BITS))

struct page_map_leaf {
    struct span *_Atomic spans[PAGE_MAP_LEAF_ENTRIES];
};

struct page_map_root {
    struct page_map_leaf *_Atomic leaves[PAGE_MAP_ROOT_ENTRIES];
};

extern HIDDEN struct page_map_root sg_page_map_near;

/* The root for addresses beyond 48 bits, or NULL. */
HIDDEN struct page_map_root *sg_page_map_far_root(uintptr_t address);

static inline struct span *page_map_lookup_below(const struct page_map_root *root,
                                                 uintptr_t address)
{
    /* Acquire, here and below: what hangs below a node was written before it was published. */
    struct page_map_leaf *leaf = atomic_load_explicit(
        &root->leaves[(address >> PAGE_MAP_LEAF_SHIFT) & (PAGE_MAP_ROOT_ENTRIES - 1)],
        memory_order_acquire);
    if (UNLIKELY(leaf == NULL))
        return NULL;
    return atomic_load_explicit(&leaf->spans[(address >> PAGE_SHIFT) & (PAGE_MAP_LEAF_ENTRIES - 1)],
                                memory_order_acquire);
}

/* The span that covers `address`, or NULL if no memory of ours was ever there. */
static inline struct span *page_map_lookup(uintptr_t address)
{
    const struct page_map_root *root = &sg_page_map_near;

    if (UNLIKELY(address >> PAGE_MAP_NEAR_BITS != 0)) {
        root = sg_page_map_far_root(address);
        if (root == NULL)
            return NULL;
    }
    return page_map_lookup_below(root, address);
}

/* The same, but NULL for addresses beyond 48 bits: for the fast path, which makes no call. */
static inline struct span *page_map_lookup_near(uintptr_t address)
{
    if (UNLIKELY(address >> PAGE_MAP_LEAF_SHIFT >= PAGE_MAP_ROOT_ENTRIES))
        return NULL;
    return page_map_lookup_below(&sg_page_map_near, address);
}

/* Makes sure that entries for the range exist; after that sg_page_map_set() on it cannot fail.
 * False: no memory for a node, or an address beyond 57 bits. */
HIDDEN MUST_USE bool sg_page_map_cover(uintptr_t base, size_t bytes);

/* Points `pages` pages from `base` on to `span`. The range is covered. */
HIDDEN void sg_page_map_set(uintptr_t base, size_t pages, struct span *span);

/* The smallest range of the covered one, as page numbers from `base` on, that has all pages which
 * find `span`; empty if none does. */
struct page_range {
    size_t first;
    size_t end;
};

HIDDEN struct page_range sg_page_map_find(uintptr_t base, size_t pages, const struct span *span);

/* Calls `visit` for each span that some page finds, at least once; sg_span_retired is none. Nobody
 * else may be changing the map: for repair in a forked child. */
HIDDEN void sg_page_map_each(void (*visit)(struct span *span));

HIDDEN struct lock *sg_page_map_lock(void);

#endif
