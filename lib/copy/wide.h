/* Wide characters, counted in characters by the program and in bytes by the checks. */
#ifndef SG_COPY_WIDE_H
#define SG_COPY_WIDE_H

#include "check.h"

/* More characters than memory can hold: checked as the most there can be. */
static ALWAYS_INLINE size_t wide_bytes(size_t count)
{
    size_t bytes;

    return __builtin_mul_overflow(count, sizeof(wchar_t), &bytes) ? SIZE_MAX : bytes;
}

static ALWAYS_INLINE void check_wide(const char *name, const wchar_t *to, size_t count,
                                     size_t object_count)
{
    check_write(name, to, wide_bytes(count));
    check_object(count, object_count);
}

/* Characters before the terminator, at most `count`. */
static ALWAYS_INLINE size_t wide_length(const wchar_t *string, size_t count)
{
    size_t length = 0;

    while (length < count && string[length] != 0)
        length++;
    return length;
}

static ALWAYS_INLINE void wide_fill(wchar_t *to, wchar_t value, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        to[i] = value;
        __asm__ volatile(""); /* or the compiler makes a call of memset, or of wmemset, of it */
    }
}

#endif
