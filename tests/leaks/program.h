/* What the test programs share: pointers that nobody can see, because they are kept inverted. */
#ifndef SG_LEAKS_PROGRAM_H
#define SG_LEAKS_PROGRAM_H

#include "double.h"

#include <stdint.h>

typedef uintptr_t hidden;

static inline hidden hide(const void *pointer)
{
    return ~(uintptr_t)pointer;
}

static inline void *seen(hidden pointer)
{
    return (void *)~pointer;
}

/* A block to which no pointer is left. */
hidden make_hidden(size_t bytes, uint32_t stack);

/* Stores the pointer without leaving it in a register or on the stack. */
void store_at(void *place, hidden pointer);

/* The same for a place that is hidden, too, and zero for as many bytes. */
void store_into(hidden place, size_t offset, hidden pointer);
void clear_hidden(hidden place, size_t bytes);

/* Overwrites dead stack and the registers that a call may change. */
void forget(void);

/* Bytes that nobody reaches now; fails the test that runs if it cannot be told. */
uint64_t leaked_bytes(void);

#endif
