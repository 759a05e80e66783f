/* Return addresses as frames of a bug. */
#ifndef SG_DEBUG_LEAK_FRAMES_H
#define SG_DEBUG_LEAK_FRAMES_H

#include "bug.h"

/* The frames of one stack, with their modules. `is_exact`: the first is the instruction itself, and
 * not where a call returns to. */
HIDDEN void sg_bug_add_stack(struct bug *bug, struct bug_stack *stack, const uintptr_t *frames,
                             uint32_t count, bool is_exact);

#endif
