/* Units of memory. "page" is ours, "OS page" is the kernel's (4, 16 or 64 KiB, read at start). */
#ifndef SG_BASE_UNITS_H
#define SG_BASE_UNITS_H

#include "compiler.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

#define PAGE_SHIFT 13
#define PAGE_BYTES ((size_t)1 << PAGE_SHIFT)

/* Every block is at least this much aligned, as glibc's are: programs rely on it. */
#define MIN_ALIGNMENT ((size_t)16)

/* No object is larger than PTRDIFF_MAX: pointer differences inside it would overflow. */
#define MAX_OBJECT_BYTES ((size_t)PTRDIFF_MAX)

static inline size_t pages_of_bytes(size_t bytes)
{
    return (bytes >> PAGE_SHIFT) + ((bytes & (PAGE_BYTES - 1)) != 0);
}

#endif
