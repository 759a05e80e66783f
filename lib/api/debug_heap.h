/* Read before each file of this folder when the debug library is built: blocks come from the debug
 * heap, which has functions of the same types. */
#ifndef SG_API_DEBUG_HEAP_H
#define SG_API_DEBUG_HEAP_H

#include "debug_pool.h"
#include "unloaded.h"
#include "unwind.h"

#define sg_pool_allocate sg_debug_allocate
#define sg_pool_allocate_zeroed sg_debug_allocate_zeroed
#define sg_pool_allocate_typed sg_debug_allocate_typed
#define sg_pool_allocate_typed_zeroed sg_debug_allocate_typed_zeroed
#define sg_pool_allocate_aligned sg_debug_allocate_aligned
#define sg_pool_free sg_debug_free
#define sg_pool_free_stated sg_debug_free_stated
#define sg_pool_reallocate sg_debug_reallocate
#define sg_pool_statistics sg_debug_statistics
#define sg_pool_usable_bytes sg_debug_usable_bytes

/* After a dlclose. */
#define sg_unwind_forget sg_unloaded_look

#endif
