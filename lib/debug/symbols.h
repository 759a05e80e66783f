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

/* Adds to `stack` frames as sg_unwind() gives them: return addresses, innermost first; and to the
 * bug their modules. Those in this library are left out, and those that do not fit.
 * `first_is_exact`: the first is that of the instruction itself, where a fault interrupted it. */
HIDDEN void sg_bug_add_stack(struct bug *bug, struct bug_stack *stack, struct depot_stack frames,
                             bool first_is_exact);

/* The same for a stack that was captured then (debug_time(); 0: not known). Frames in
 * modules that may have been unloaded since have the module SYMBOLS_UNLOADED, and no names. */
#define SYMBOLS_UNLOADED "unloaded"
HIDDEN void sg_bug_add_past_stack(struct bug *bug, struct bug_stack *stack,
                                  struct depot_stack frames, uint64_t time);

static inline bool sg_bug_module_is_unloaded(const struct bug_module *module)
{
    return __builtin_strcmp(module->path, SYMBOLS_UNLOADED) == 0;
}

/* The module around an address (of code or data) as an index into bug->modules, or BUG_NO_MODULE;
 * and how far from its start the address is. */
HIDDEN uint16_t sg_bug_add_module(struct bug *bug, uintptr_t address, uint64_t *ret_offset);

#endif
