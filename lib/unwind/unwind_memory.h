/* The part of the stack that a walk may still read. */
#ifndef SG_UNWIND_UNWIND_MEMORY_H
#define SG_UNWIND_UNWIND_MEMORY_H

#include "compiler.h"
#include "os_process.h"

/* No frame that is worth a walk is larger, and no walk goes further. */
#define STACK_SPAN_BYTES ((uintptr_t)8 << 20)

#define PROBE_BYTES ((uintptr_t)4096) /* the smallest OS page */

struct stack_memory {
    uintptr_t low;      /* nothing below is read, nor at or beyond low + STACK_SPAN_BYTES */
    uintptr_t known;    /* the page that was found readable last; 1: none */
    uintptr_t sure_low; /* from here on bytes are readable for certain: */
    uintptr_t sure_bytes;
};

/* The word at `address`; false if it is not aligned, not in the stack, or not readable. */
static inline bool stack_read(struct stack_memory *memory, uintptr_t address, uintptr_t *ret_value)
{
    uintptr_t page = address & ~(PROBE_BYTES - 1);

    if (address < PROBE_BYTES || address % sizeof(uintptr_t) != 0 ||
        address - memory->low >= STACK_SPAN_BYTES)
        return false;
    if (page != memory->known && address - memory->sure_low >= memory->sure_bytes) {
        if (!sg_os_is_readable(address))
            return false;
        memory->known = page;
    }
    *ret_value = *(const uintptr_t *)address;
    return true;
}

#endif
