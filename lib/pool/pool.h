/* What the interface functions stand on: allocation by size, and the proof before anything that
 * the program says about a pointer is believed.
 *
 * `maker` is the live state (enum slot_state) of the interface that makes or ends the block.
 * `function` is the name for a report. Nothing here sets errno; what frees preserves it.
 * Thread-safe. A misuse ends the process with a report. */
#ifndef SG_POOL_POOL_H
#define SG_POOL_POOL_H

#include "compiler.h"
#include "slot.h"

/* NULL: no memory, or an impossible size. */
HIDDEN MUST_USE void *sg_pool_allocate(size_t bytes, uint8_t maker);
HIDDEN MUST_USE void *sg_pool_allocate_zeroed(size_t bytes);

/* Of a partition (typed.h); of partition 0 as above. */
HIDDEN bool sg_pool_is_partition(unsigned number);
HIDDEN MUST_USE void *sg_pool_allocate_typed(size_t bytes, uint32_t partition);
HIDDEN MUST_USE void *sg_pool_allocate_typed_zeroed(size_t bytes, uint32_t partition);

/* `alignment` is a power of two. */
HIDDEN MUST_USE void *sg_pool_allocate_aligned(size_t alignment, size_t bytes, uint8_t maker);

/* NULL is allowed and does nothing. */
HIDDEN void sg_pool_free(void *object, uint8_t maker, const char *function);

/* As free, but the caller also states what it asked for: the class must be the one that such a
 * request gets. `alignment` 0: none was stated. */
struct stated {
    size_t bytes;
    size_t alignment;
    bool without_bytes; /* only the alignment was stated */
};
HIDDEN void sg_pool_free_stated(void *object, struct stated stated, uint8_t maker,
                                const char *function);

/* As realloc: `object` is not NULL, `bytes` is not 0. NULL: the block is as it was. */
HIDDEN MUST_USE void *sg_pool_reallocate(void *object, size_t bytes, const char *function);

HIDDEN size_t sg_pool_usable_bytes(void *object, const char *function);

/* Gives back all memory that is free anywhere, but that of other threads' caches. True if any
 * pages went back to the kernel. */
HIDDEN bool sg_pool_trim(size_t keep_bytes);

struct pool_statistics {
    size_t mapped_bytes;   /* address space for objects */
    size_t metadata_bytes; /* address space for ours */
    size_t live_bytes;     /* in live blocks, as rounded up to their slots */
    size_t large_bytes;    /* of them, in large objects */
    size_t large_count;
    size_t cached_bytes;  /* free, in thread caches */
    size_t central_bytes; /* free, in spans and in transfer */
    size_t dirty_bytes;   /* free pages that hold memory */
    size_t clean_bytes;   /* free pages without memory */
    size_t free_runs;
    size_t thread_caches;
    size_t purge_calls;
    size_t guard_bytes;    /* address space of the guards behind spans */
    size_t guard_mappings; /* ranges without access that took mappings of their own, about */
    size_t guards_refused; /* that the kernel or the budget did not allow */
};

HIDDEN void sg_pool_statistics(struct pool_statistics *ret_statistics);

#endif
