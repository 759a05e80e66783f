/* Memory that becomes all zero again without the kernel's help where that is dearer. Pages stay
 * resident from one input to the next; those that were written to are found by looking, and those
 * that nobody wrote to for long are given back, so that looking stays cheap. */
#ifndef SG_FUZZ_ARENA_MEMORY_H
#define SG_FUZZ_ARENA_MEMORY_H

#include "compiler.h"

struct arena_memory {
    char *start;            /* private anonymous memory, on an OS page */
    uint8_t *notes;         /* a byte for each page, zero at first, which nobody else writes */
    const uint8_t *touched; /* NULL, or for each page whether it may hold anything but zeroes */
};

/* Zeroes the pages from the `first` to before the `end`th. `on_written` may be NULL; it is told of
 * each page that was not zero. */
void arena_memory_zero(const struct arena_memory *memory, size_t first, size_t end,
                       void (*on_written)(const char *page));

/* The same within an input. */
void arena_memory_wipe(const struct arena_memory *memory, size_t first, size_t end);

/* The contents of these pages, which then read as zero, go to those at `to`, which were zero. */
void arena_memory_move(const struct arena_memory *memory, size_t to, size_t first, size_t end);

#endif
