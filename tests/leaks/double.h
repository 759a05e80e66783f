/* A heap of records without an allocator: blocks that are never reused, in mappings of their own,
 * and stacks by number. The leak check is linked with it into one library, so that, as in the real
 * one, its own data is not the program's. */
#ifndef SG_LEAKS_DOUBLE_H
#define SG_LEAKS_DOUBLE_H

#include "bug.h"

/* A block made by the stack of this number; stacks 1 to 1000 have two frames: STACK_PLACE(number)
 * in the test program, and one in main. */
void *double_make(size_t bytes, uint32_t stack);
/* As if a thread were about to free or resize it; the address inverted, so that the caller need not
 * know it. */
void double_set_busy(uintptr_t inverted);

/* No block is known any more. */
void double_reset(void);

/* The innermost frame of a stack. */
void double_set_frame(uint32_t stack, uintptr_t pc);
void double_set_name(uint32_t stack, const char *function);

/* Where the addresses of all blocks are written down. */
void *double_records(void);

/* How often names were asked for. */
uint32_t double_questions(void);

struct double_result {
    bool found;
    const char *why;
    unsigned milliseconds;
    struct bug bug;
};

/* What sg_leak_find() says, in memory that is no root. */
const struct double_result *double_find(const char *suppressions);

#endif
