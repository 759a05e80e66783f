/* How to get from one frame to the one around it, as the tables say it for one address. */
#ifndef SG_UNWIND_UNWIND_RULE_H
#define SG_UNWIND_UNWIND_RULE_H

#include "unwind_table.h"

enum how {
    HOW_SAME,             /* the register still has its value */
    HOW_UNKNOWN,          /* nobody can tell it any more */
    HOW_CFA,              /* in memory, `number` bytes from the frame's address */
    HOW_CFA_VALUE,        /* is the frame's address plus `number` */
    HOW_REGISTER,         /* is register `base` plus `number` */
    HOW_REGISTER_MEMORY,  /* in memory, `number` bytes from where register `base` points to */
    HOW_EXPRESSION,       /* in memory, where the expression says */
    HOW_EXPRESSION_VALUE, /* what the expression says */
};

struct location {
    uint8_t how;
    uint8_t base;
    int32_t number;
    uint32_t length; /* bytes of `expression` */
    const uint8_t *expression;
};

/* The registers that a walk follows: those from which the compilers compute a frame's address, and
 * the return address. */
enum followed { FOLLOW_RBX, FOLLOW_FRAME, FOLLOW_PC, FOLLOWED };

struct rule {
    struct location cfa; /* the canonical frame address: the stack pointer before the call */
    struct location followed[FOLLOWED];
    bool is_signal;
};

/* False if the tables say nothing, or nothing that this code understands. */
HIDDEN MUST_USE bool sg_rule_find(const struct module *module, uintptr_t pc, struct rule *ret_rule);

#endif
