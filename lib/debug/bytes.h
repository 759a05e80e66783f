/* Filling and comparing runs of one byte, mostly short: in vectors, without calls and loops over
 * single bytes: the rest is covered by a vector that overlaps the one before it. */
#ifndef SG_DEBUG_BYTES_H
#define SG_DEBUG_BYTES_H

#include "compiler.h"

typedef uint64_t bytes_vector __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t bytes_eight __attribute__((aligned(1), may_alias));
typedef uint32_t bytes_four __attribute__((aligned(1), may_alias));

#define BYTES_VECTOR sizeof(bytes_vector)
#define BYTES_SHORT ((size_t)1024) /* from here on the processor's own instruction is faster */

static inline uint64_t bytes_eight_of(uint8_t byte)
{
    return byte * (uint64_t)0x0101010101010101;
}

static inline bytes_vector bytes_of(uint8_t byte)
{
    uint64_t word = bytes_eight_of(byte);

    return (bytes_vector){word, word};
}

/* Up to 15. Volatile: not to become a call. */
static inline void bytes_fill_few(uint8_t *to, uint8_t byte, size_t length)
{
    if (length >= 8) {
        *(volatile bytes_eight *)to = bytes_eight_of(byte);
        *(volatile bytes_eight *)(to + length - 8) = bytes_eight_of(byte);
    } else if (length >= 4) {
        *(volatile bytes_four *)to = (uint32_t)bytes_eight_of(byte);
        *(volatile bytes_four *)(to + length - 4) = (uint32_t)bytes_eight_of(byte);
    } else {
        for (size_t i = 0; i < length; i++)
            ((volatile uint8_t *)to)[i] = byte;
    }
}

static inline void bytes_fill(uint8_t *to, uint8_t byte, size_t length)
{
    bytes_vector pattern = bytes_of(byte);

    if (length < BYTES_VECTOR) {
        bytes_fill_few(to, byte, length);
        return;
    }
    if (UNLIKELY(length > BYTES_SHORT)) {
        __builtin_memset(to, byte, length);
        return;
    }
    for (size_t i = 0; i + BYTES_VECTOR < length; i += BYTES_VECTOR)
        *(bytes_vector *)(to + i) = pattern;
    *(bytes_vector *)(to + length - BYTES_VECTOR) = pattern;
}

static inline bool bytes_are_few(const uint8_t *bytes, uint8_t byte, size_t length)
{
    uint64_t pattern = bytes_eight_of(byte);
    uint8_t rest = 0;

    if (length >= 8)
        return ((*(const bytes_eight *)bytes ^ pattern) |
                (*(const bytes_eight *)(bytes + length - 8) ^ pattern)) == 0;
    if (length >= 4)
        return ((*(const bytes_four *)bytes ^ (uint32_t)pattern) |
                (*(const bytes_four *)(bytes + length - 4) ^ (uint32_t)pattern)) == 0;
    for (size_t i = 0; i < length; i++)
        rest |= bytes[i] ^ byte;
    return rest == 0;
}

/* Whether all are `byte`. */
static inline bool bytes_are(const uint8_t *bytes, uint8_t byte, size_t length)
{
    bytes_vector pattern = bytes_of(byte), other = {0, 0};
    size_t i = 0;

    if (length < BYTES_VECTOR)
        return bytes_are_few(bytes, byte, length);
    for (; i + 4 * BYTES_VECTOR <= length; i += 4 * BYTES_VECTOR) {
        const bytes_vector *at = (const bytes_vector *)(bytes + i);

        other |= (at[0] ^ pattern) | (at[1] ^ pattern) | (at[2] ^ pattern) | (at[3] ^ pattern);
        if (UNLIKELY((other[0] | other[1]) != 0))
            return false;
    }
    for (; i + BYTES_VECTOR < length; i += BYTES_VECTOR)
        other |= *(const bytes_vector *)(bytes + i) ^ pattern;
    other |= *(const bytes_vector *)(bytes + length - BYTES_VECTOR) ^ pattern;
    return (other[0] | other[1]) == 0;
}

#endif
