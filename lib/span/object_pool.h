/* The fixed-length pool: records of ours, each size in a pool of its own, on metadata regions.
 *
 * A chunk that holds no record goes back, so that after a peak the descriptions of memory that is
 * gone do not stay behind. Memory of a given record may be reused for another size. */
#ifndef SG_SPAN_OBJECT_POOL_H
#define SG_SPAN_OBJECT_POOL_H

#include "compiler.h"

#define OBJECT_POOL_MAX_BYTES 8192u

/* A record of at least `bytes` (1 to OBJECT_POOL_MAX_BYTES), aligned to 64, contents unspecified;
 * NULL if the kernel has nothing left. */
HIDDEN MUST_USE void *sg_object_pool_take(size_t bytes);

/* `bytes` as when it was taken. */
HIDDEN void sg_object_pool_give(void *object, size_t bytes);

HIDDEN size_t sg_object_pool_live_bytes(void);

#define OBJECT_POOL_COUNT 24u
HIDDEN struct lock *sg_object_pool_lock(uint32_t index);

/* Forgets the free records of one pool; for a child whose parent was changing them. */
HIDDEN void sg_object_pool_abandon(uint32_t index);

#endif
