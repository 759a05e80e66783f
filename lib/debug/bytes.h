/* Filling and comparing runs of one byte, mostly short: in vectors, without calls. */
#ifndef SG_DEBUG_BYTES_H
#define SG_DEBUG_BYTES_H

#include "compiler.h"

typedef uint64_t bytes_vector __attribute__((vector_size(16), aligned(1), may_alias));

#define BYTES_VECTOR sizeof(bytes_vector)
#define BYTES_SHORT ((size_t)1024) /* from here on the processor's own instruction is faster */

static inline bytes_vector bytes_of(uint8_t byte)
{
    uint64_t word = byte * (uint64_t)0x0101010101010101;

    return (bytes_vector){word, word};
}

static inline void bytes_fill(uint8_t *to, uint8_t byte, size_t length)
{
    bytes_vector pattern = bytes_of(byte);
    size_t i = 0;

    if (UNLIKELY(length > BYTES_SHORT)) {
        __builtin_memset(to, byte, length);
        return;
    }
    for (; i + BYTES_VECTOR <= length; i += BYTES_VECTOR)
        *(bytes_vector *)(to + i) = pattern;
    for (; i < length; i++)
        ((volatile uint8_t *)to)[i] = byte; /* volatile: not to become a call */
}

/* Whether all are `byte`. */
static inline bool bytes_are(const uint8_t *bytes, uint8_t byte, size_t length)
{
    bytes_vector pattern = bytes_of(byte), other = {0, 0};
    uint8_t rest = 0;
    size_t i = 0;

    for (; i + 4 * BYTES_VECTOR <= length; i += 4 * BYTES_VECTOR) {
        const bytes_vector *at = (const bytes_vector *)(bytes + i);

        other |= (at[0] ^ pattern) | (at[1] ^ pattern) | (at[2] ^ pattern) | (at[3] ^ pattern);
        if (UNLIKELY((other[0] | other[1]) != 0))
            return false;
    }
    for (; i + BYTES_VECTOR <= length; i += BYTES_VECTOR)
        other |= *(const bytes_vector *)(bytes + i) ^ pattern;
    for (; i < length; i++)
        rest |= bytes[i] ^ byte;
    return (other[0] | other[1] | rest) == 0;
}

#endif
