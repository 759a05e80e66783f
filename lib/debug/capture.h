/* The calling thread's stack as a number of the depot, in some tens of nanoseconds: frames of this
 * library are left out. Allocates nothing, takes no lock, keeps errno, survives damaged stacks. */
#ifndef SG_DEBUG_CAPTURE_H
#define SG_DEBUG_CAPTURE_H

#include "depot.h"

/* At most `depth` frames, up to DEPOT_FRAMES_MAX; 0: none, and the result is 0. */
HIDDEN stack_id sg_capture(uint32_t depth);

#endif
