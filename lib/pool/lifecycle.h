/* Start, and fork. */
#ifndef SG_POOL_LIFECYCLE_H
#define SG_POOL_LIFECYCLE_H

#include "compiler.h"

extern HIDDEN _Atomic bool sg_lifecycle_started;

HIDDEN void sg_lifecycle_start_slow(void);

/* With pool=system, once, from a constructor; NULL: there is no other allocator, ours serves. */
struct system_functions;
HIDDEN void sg_lifecycle_serve_by_system(const struct system_functions *found);

/* Makes everything ready; works before any constructor has run. No lock may be held. */
static inline void lifecycle_start(void)
{
    /* Acquire: sees what the starting thread wrote. */
    if (UNLIKELY(!atomic_load_explicit(&sg_lifecycle_started, memory_order_acquire)))
        sg_lifecycle_start_slow();
}

/* In the debug library only. Once, before the first block, with the options known; for each fork,
 * in the order of the three handlers, around what the tiers do, and when a child finds a lock that
 * nobody holds; and about a fault: true if it is told. */
enum fork_step { FORK_PREPARE, FORK_PARENT, FORK_CHILD, FORK_REPAIR };
__attribute__((weak)) HIDDEN void sg_debug_start(void);
__attribute__((weak)) HIDDEN void sg_debug_fork(enum fork_step step);
__attribute__((weak)) HIDDEN bool sg_debug_fault(uintptr_t address, bool is_write,
                                                 const void *context);

#endif
