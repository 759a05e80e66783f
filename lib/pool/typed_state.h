/* What the files of the partitions share; nobody else includes it. */
#ifndef SG_POOL_TYPED_STATE_H
#define SG_POOL_TYPED_STATE_H

#include "large.h"
#include "list.h"
#include "os_lock.h"
#include "random.h"
#include "size_class.h"
#include "span.h"
#include "typed.h"

/* span->slots.mark of a span of a partition. */
enum typed_mark {
    TYPED_UNLISTED = 0, /* no free slot, or on its way */
    TYPED_OPEN,         /* some free slots */
    TYPED_SPARE,        /* all slots free, without memory and access */
    TYPED_VACANT,       /* room for a large object: no memory, no access */
    TYPED_RECENT,       /* the same, of an object freed lately: known as such, and not reused yet */
};

/* Lengths of vacant runs, in eighths of powers of two: a run that comes back fits what asks for one
 * of its length, exactly. */
#define VACANT_STEPS_LOG2 3u
#define VACANT_LISTS (32u << VACANT_STEPS_LOG2)
#define RECENT_MAX 8u

struct typed_class {
    struct list_node *open;
    struct list_node *spare;
};

struct partition {
    struct lock lock; /* RANK_TYPED; guards all of this */
    struct random random;
    uintptr_t chunk; /* of the range that is being cut up, what is left */
    uintptr_t chunk_end;
    size_t mapped_bytes;
    size_t unguarded_bytes; /* of spans since the last guard */
    uint32_t recent_count;
    _Atomic bool is_used; /* relaxed: becomes true once */
    struct span *recent[RECENT_MAX];
    struct list_node *vacant[VACANT_LISTS];
    struct typed_class classes[CLASS_COUNT];
};

extern HIDDEN struct partition sg_partitions[TYPED_PARTITIONS];

HIDDEN struct partition *sg_partition_acquire(uint32_t partition);
HIDDEN void sg_partition_release(struct partition *partition);

/* A span on fresh addresses of the partition, found by all its pages, all accessible; without the
 * lock. Its geometry is the caller's to fill in. NULL: no memory. */
HIDDEN MUST_USE struct span *sg_typed_span_create(uint32_t partition, size_t pages);

/* Objects that are spans of their own; see large.h. */
HIDDEN MUST_USE void *sg_typed_large_take(struct large_request request, bool *ret_zeroed);
HIDDEN void sg_typed_large_give(struct span *span);

/* Into the list of its length. Under the lock. */
HIDDEN void sg_typed_vacant_push(struct partition *partition, struct span *span);

#endif
