/* Names and source lines for the frames of a bug, from the program spanguard-symbolize, which runs
 * outside of this process: nothing of it can be hurt by a destroyed heap, and it needs no lock of
 * the loader. Started by clone and exec, without fork handlers; waited for at most `milliseconds`,
 * then killed. Allocates nothing; keeps errno; leaves no zombie and no SIGCHLD. */
#ifndef SG_DEBUG_SYMBOLS_H
#define SG_DEBUG_SYMBOLS_H

#include "bug.h"
#include "depot.h"

/* Fills function, file, line, column, source and is_inlined of all frames of all stacks, inserting
 * frames of inlined functions; place_name of BUG_PLACE_GLOBAL. False: nothing is known, and the bug
 * is as it was. Strings are printable UTF-8. */
HIDDEN bool sg_symbols_find(struct bug *bug, unsigned milliseconds);

/* Adds to `stack` the place of an instruction, unless it is in this library or the stack is full;
 * its module is added to the bug. */
HIDDEN void sg_bug_add_frame(struct bug *bug, struct bug_stack *stack, uintptr_t pc);

/* The same for frames as sg_unwind() gives them: return addresses, innermost first.
 * `first_is_exact`: the first is that of the instruction itself, where a fault interrupted it. */
HIDDEN void sg_bug_add_stack(struct bug *bug, struct bug_stack *stack, struct depot_stack frames,
                             bool first_is_exact);

/* The module around an address (of code or data) as an index into bug->modules, or BUG_NO_MODULE;
 * and how far from its start the address is. */
HIDDEN uint16_t sg_bug_add_module(struct bug *bug, uintptr_t address, uint64_t *ret_offset);

#endif
