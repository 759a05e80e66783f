/* Partitions: blocks of one kind, on addresses that no other kind ever gets. A pointer that is used
 * after its block was freed then finds a block of the same partition or nothing, never one of
 * another kind whose bytes mean something else. After PartitionAlloc (Chromium).
 *
 * A partition maps ranges of its own and keeps them for ever; freed memory goes back, addresses do
 * not. Slots of a class share spans as elsewhere, and a span serves its class for ever. There are
 * no thread caches: the state SLOT_LIVE_TYPED sends free() here. One lock each (RANK_TYPED), under
 * which the kernel is asked nothing. */
#ifndef SG_POOL_TYPED_H
#define SG_POOL_TYPED_H

#include "compiler.h"
#include "os_lock.h"
#include "verdict.h"

#define TYPED_PARTITIONS 64u /* 0 is none: what malloc makes */

/* A block of the partition, 1 to TYPED_PARTITIONS - 1; `*ret_zeroed`: it reads as zero. NULL: no
 * memory. */
HIDDEN MUST_USE void *sg_typed_allocate(size_t bytes, uint32_t partition, bool *ret_zeroed);

/* Ends a block that is proven, and if it is large claimed. Ends the process if another thread ends
 * a small one at the same moment. */
HIDDEN void sg_typed_free(const struct block *block, void *object, const char *function);

/* Gives memory back that is free. */
HIDDEN void sg_typed_trim(void);

struct typed_statistics {
    size_t mapped_bytes; /* address space of all partitions */
    size_t live_bytes;   /* in live blocks that are not large, as rounded up to their slots */
};

HIDDEN void sg_typed_statistics(struct typed_statistics *ret_statistics);

/* For fork, as those of the central cache: see central_list.h. */
HIDDEN struct lock *sg_typed_lock(uint32_t partition);
HIDDEN bool sg_typed_is_used(uint32_t partition);
HIDDEN void sg_typed_rebuild_begin(uint32_t partition);
HIDDEN void sg_typed_rebuild_add(struct span *span);

#endif
