/* Memory that becomes all zero again without the kernel's help where that is dearer. Pages stay
 * resident from one input to the next; those that were written to are found by looking, and those
 * that nobody wrote to for long are given back, so that looking stays cheap. */
#ifndef SG_FUZZ_ARENA_MEMORY_H
#define SG_FUZZ_ARENA_MEMORY_H

#include "compiler.h"

/* Zeroes [start, start + bytes), whole OS pages of private anonymous memory. `idle` has a byte for
 * each page, zero at first, which nobody else writes. `on_written` may be NULL; it is told of each
 * page that was not zero. */
void arena_memory_zero(char *start, size_t bytes, uint8_t *idle,
                       void (*on_written)(const char *page));

/* The contents of `from`, which then reads as zero, go to `to`, which is all zero. */
void arena_memory_move(char *to, char *from, size_t bytes);

/* As arena_memory_zero(), but without a note of which pages are idle. */
void arena_memory_wipe(char *start, size_t bytes);

#endif
