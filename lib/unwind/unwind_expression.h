/* DWARF expressions (5, 2.5), as far as call-frame tables use them: no loops, no calls. */
#ifndef SG_UNWIND_UNWIND_EXPRESSION_H
#define SG_UNWIND_UNWIND_EXPRESSION_H

#include "unwind_machine.h"
#include "unwind_memory.h"
#include "unwind_rule.h"

struct expression_input {
    const struct registers *registers;
    struct stack_memory *memory;
    uintptr_t first; /* on the stack of values at the start */
    bool has_first;
};

/* False if it does not compute, reads beyond the stack, or uses an operation not known here. */
HIDDEN MUST_USE bool sg_expression_value(const struct location *location,
                                         const struct expression_input *input,
                                         uintptr_t *ret_value);

#endif
