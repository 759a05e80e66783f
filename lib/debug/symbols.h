/* Names and source lines for the frames of a bug, from the program spanguard-symbolize, which runs
 * outside of this process: nothing of it can be hurt by a destroyed heap, and it needs no lock of
 * the loader. Started by clone and exec, without fork handlers; waited for at most `milliseconds`,
 * then killed. Allocates nothing; keeps errno; leaves no zombie and no SIGCHLD. */
#ifndef SG_DEBUG_SYMBOLS_H
#define SG_DEBUG_SYMBOLS_H

#include "bug.h"

/* Fills function, file, line, column, source and is_inlined of all frames of all stacks, inserting
 * frames of inlined functions; place_name of BUG_PLACE_GLOBAL. False: nothing is known, and the bug
 * is as it was. */
HIDDEN bool sg_symbols_find(struct bug *bug, unsigned milliseconds);

/* Adds return addresses (the first, if `first_is_exact`, is that of an instruction) to a stack of
 * the bug, without those of this library. */
HIDDEN void sg_bug_add_stack(struct bug *bug, struct bug_stack *stack, const uintptr_t *frames,
                             uint32_t count, bool first_is_exact);

#endif
