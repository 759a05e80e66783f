#include "page_map.h"

#include "metadata.h"
#include "os_lock.h"
#include "span.h"
#include "sync_point.h"

COLD_ZEROES struct page_map_root sg_page_map_near;

COLD_ZEROES static struct page_map_root *_Atomic far_roots[PAGE_MAP_FAR_ENTRIES];
static struct lock growth; /* RANK_PAGE_MAP: one thread at a time adds nodes */

struct lock *sg_page_map_lock(void)
{
    return &growth;
}

struct page_map_root *sg_page_map_far_root(uintptr_t address)
{
    if (address >> PAGE_MAP_FAR_BITS != 0)
        return NULL;
    /* Acquire: pairs with the publication in root_of(). */
    return atomic_load_explicit(&far_roots[address >> PAGE_MAP_NEAR_BITS], memory_order_acquire);
}

/* The root for `address`, made if it does not exist; under `growth`. */
static struct page_map_root *root_of(uintptr_t address)
{
    if (address >> PAGE_MAP_NEAR_BITS == 0)
        return &sg_page_map_near;
    if (address >> PAGE_MAP_FAR_BITS != 0)
        return NULL;

    struct page_map_root *root = sg_page_map_far_root(address);
    if (root == NULL) {
        root = sg_metadata_map(sizeof(*root));
        /* Release: a look-up that finds the node finds it zeroed. */
        atomic_store_explicit(&far_roots[address >> PAGE_MAP_NEAR_BITS], root,
                              memory_order_release);
    }
    return root;
}

/* Under `growth`. */
static void add_leaf(struct page_map_leaf *_Atomic *entry)
{
    struct page_map_leaf *leaf = sg_metadata_map(sizeof(*leaf));

    if (leaf == NULL)
        return;
    ANNOTATE_ATOMIC(leaf, sizeof(*leaf));
    ANNOTATE_ATOMIC(entry, sizeof(*entry));
    SYNC_POINT(SYNC_PUBLISH, entry);
    /* Release: as above. */
    atomic_store_explicit(entry, leaf, memory_order_release);
}

static bool cover_leaf(uintptr_t address)
{
    struct page_map_root *root = root_of(address);

    if (root == NULL)
        return false;

    struct page_map_leaf *_Atomic *entry =
        &root->leaves[(address >> PAGE_MAP_LEAF_SHIFT) & (PAGE_MAP_ROOT_ENTRIES - 1)];
    if (load_relaxed(entry) == NULL) /* relaxed: only changed under `growth`, which we hold */
        add_leaf(entry);
    return load_relaxed(entry) != NULL;
}

bool sg_page_map_cover(uintptr_t base, size_t bytes)
{
    bool covered = true;
    uintptr_t last = base + bytes - 1;

    lock_acquire(&growth, RANK_PAGE_MAP);
    for (uintptr_t leaf = base >> PAGE_MAP_LEAF_SHIFT; leaf <= last >> PAGE_MAP_LEAF_SHIFT; leaf++)
        covered = covered && cover_leaf(leaf << PAGE_MAP_LEAF_SHIFT);
    lock_release(&growth, RANK_PAGE_MAP);
    return covered;
}

static struct page_map_leaf *leaf_of(uintptr_t address)
{
    struct page_map_root *root = address >> PAGE_MAP_NEAR_BITS == 0 ? &sg_page_map_near
                                                                    : sg_page_map_far_root(address);

    return load_relaxed(
        &root->leaves[(address >> PAGE_MAP_LEAF_SHIFT) & (PAGE_MAP_ROOT_ENTRIES - 1)]);
}

/* Four in a turn: compilers leave loops over atomics as they are, and a long span has many. */
static void set_entries(struct span *_Atomic *entries, size_t count, struct span *span)
{
    size_t i = 0;

    SYNC_POINT(SYNC_PUBLISH, entries);
    /* Release: who finds the span finds it filled in. */
    for (; i + 4 <= count; i += 4) {
        atomic_store_explicit(&entries[i], span, memory_order_release);
        atomic_store_explicit(&entries[i + 1], span, memory_order_release);
        atomic_store_explicit(&entries[i + 2], span, memory_order_release);
        atomic_store_explicit(&entries[i + 3], span, memory_order_release);
    }
    for (; i < count; i++) {
        SYNC_POINT(SYNC_PUBLISH, &entries[i]); /* also between the first page and the last */
        atomic_store_explicit(&entries[i], span, memory_order_release);
    }
}

void sg_page_map_set(uintptr_t base, size_t pages, struct span *span)
{
    while (pages > 0) {
        size_t first = (base >> PAGE_SHIFT) & (PAGE_MAP_LEAF_ENTRIES - 1);
        size_t count = PAGE_MAP_LEAF_ENTRIES - first < pages ? PAGE_MAP_LEAF_ENTRIES - first
                                                             : pages;
        struct span *_Atomic *entries = leaf_of(base)->spans + first;

        set_entries(entries, count, span);
        base += count * PAGE_BYTES;
        pages -= count;
    }
}

struct page_range sg_page_map_find(uintptr_t base, size_t pages, const struct span *span)
{
    struct page_range range = {0, 0};

    for (size_t done = 0; done < pages;) {
        size_t first = ((base >> PAGE_SHIFT) + done) & (PAGE_MAP_LEAF_ENTRIES - 1);
        size_t left = pages - done;
        size_t count = PAGE_MAP_LEAF_ENTRIES - first < left ? PAGE_MAP_LEAF_ENTRIES - first : left;
        struct span *_Atomic *entries = leaf_of(base + done * PAGE_BYTES)->spans + first;

        for (size_t i = 0; i < count; i++)
            if (load_relaxed(&entries[i]) == span) { /* relaxed: only compared */
                range.first = range.end == 0 ? done + i : range.first;
                range.end = done + i + 1;
            }
        done += count;
    }
    return range;
}

static void each_in_leaf(struct page_map_leaf *leaf, void (*visit)(struct span *span))
{
    struct span *last = NULL;

    for (size_t i = 0; i < PAGE_MAP_LEAF_ENTRIES; i++) {
        struct span *span = load_relaxed(&leaf->spans[i]);

        if (span != NULL && span != last && span != &sg_span_retired && span != &sg_span_forbidden)
            visit(span);
        last = span;
    }
}

static void each_in_root(struct page_map_root *root, void (*visit)(struct span *span))
{
    for (size_t i = 0; i < PAGE_MAP_ROOT_ENTRIES; i++)
        if (load_relaxed(&root->leaves[i]) != NULL)
            each_in_leaf(load_relaxed(&root->leaves[i]), visit);
}

void sg_page_map_each(void (*visit)(struct span *span))
{
    each_in_root(&sg_page_map_near, visit);
    for (size_t i = 0; i < PAGE_MAP_FAR_ENTRIES; i++)
        if (load_relaxed(&far_roots[i]) != NULL)
            each_in_root(load_relaxed(&far_roots[i]), visit);
}
