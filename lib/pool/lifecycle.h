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

#endif
