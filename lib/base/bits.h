/* Powers of two and the arithmetic of exact division. */
#ifndef SG_BASE_BITS_H
#define SG_BASE_BITS_H

#include "compiler.h"

static inline bool is_power_of_two(size_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* `alignment` is a power of two; the caller excludes overflow. */
static inline uintptr_t align_up(uintptr_t value, size_t alignment)
{
    return (value + alignment - 1) & ~(uintptr_t)(alignment - 1);
}

static inline uintptr_t align_down(uintptr_t value, size_t alignment)
{
    return value & ~(uintptr_t)(alignment - 1);
}

/* Position of the highest set bit; `value` is not 0. */
static inline unsigned log2_floor(uint64_t value)
{
    return 63u - (unsigned)__builtin_clzll(value);
}

static inline unsigned log2_ceil(uint64_t value)
{
    return value <= 1 ? 0 : log2_floor(value - 1) + 1;
}

static inline uint64_t rotate_right(uint64_t value, unsigned count)
{
    return (value >> (count & 63)) | (value << (-count & 63));
}

#endif
