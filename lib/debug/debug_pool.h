/* The debug heap: what pool.h offers, for blocks with redzones, records and quarantine around the
 * tiers. The exported functions of the debug library call these instead; see api/debug_heap.h. */
#ifndef SG_DEBUG_DEBUG_POOL_H
#define SG_DEBUG_DEBUG_POOL_H

#include "pool.h"

/* As their namesakes in pool.h. Partitions are not told apart here: no address is soon reused. */
HIDDEN MUST_USE void *sg_debug_allocate(size_t bytes, uint8_t maker);
HIDDEN MUST_USE void *sg_debug_allocate_zeroed(size_t bytes);
HIDDEN MUST_USE void *sg_debug_allocate_typed(size_t bytes, uint32_t partition);
HIDDEN MUST_USE void *sg_debug_allocate_typed_zeroed(size_t bytes, uint32_t partition);
HIDDEN MUST_USE void *sg_debug_allocate_aligned(size_t alignment, size_t bytes, uint8_t maker);
HIDDEN void sg_debug_free(void *object, uint8_t maker, const char *function);
HIDDEN void sg_debug_free_stated(void *object, struct stated stated, uint8_t maker,
                                 const char *function);
HIDDEN MUST_USE void *sg_debug_reallocate(void *object, size_t bytes, const char *function);
HIDDEN size_t sg_debug_usable_bytes(void *object, const char *function);

/* As spanguard_block_room(). */
HIDDEN size_t sg_debug_block_room(const void *address);

/* Of spanguard_report_copy(). False: no block is known there. Returns if the program is to go on
 * after reports. */
HIDDEN MUST_USE bool sg_debug_report_copy(const char *function, uintptr_t address, size_t bytes,
                                          bool is_write);

HIDDEN void sg_debug_statistics(struct pool_statistics *ret_statistics);

/* Looks at all blocks now; reports what is damaged. `found`: when, for the report. */
HIDDEN void sg_debug_check_all(const char *found);

#endif
