/* Filling and comparing runs of one byte, mostly short: in vectors, without calls and loops over
 * single bytes: the rest is covered by vectors that overlap those before them. */
#ifndef SG_DEBUG_BYTES_H
#define SG_DEBUG_BYTES_H

#include "compiler.h"

typedef uint64_t bytes_vector __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t bytes_eight __attribute__((aligned(1), may_alias));
typedef uint32_t bytes_four __attribute__((aligned(1), may_alias));

#define BYTES_VECTOR sizeof(bytes_vector)
#define BYTES_BLOCK (4 * BYTES_VECTOR)
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

static ALWAYS_INLINE void bytes_fill_block(uint8_t *to, bytes_vector pattern)
{
    bytes_vector *at = (bytes_vector *)to;

    at[0] = at[1] = at[2] = at[3] = pattern;
}

static inline void bytes_fill(uint8_t *to, uint8_t byte, size_t length)
{
    bytes_vector pattern = bytes_of(byte);
    uint8_t *end = to + length;

    if (UNLIKELY(length < BYTES_VECTOR)) {
        bytes_fill_few(to, byte, length);
    } else if (length <= BYTES_BLOCK) {
        size_t half = length <= BYTES_BLOCK / 2 ? 0 : BYTES_VECTOR;

        *(bytes_vector *)to = pattern;
        *(bytes_vector *)(to + half) = pattern;
        *(bytes_vector *)(end - BYTES_VECTOR - half) = pattern;
        *(bytes_vector *)(end - BYTES_VECTOR) = pattern;
    } else if (UNLIKELY(length > BYTES_SHORT)) {
        __builtin_memset(to, byte, length);
    } else {
        for (; to < end - BYTES_BLOCK; to += BYTES_BLOCK)
            bytes_fill_block(to, pattern);
        bytes_fill_block(end - BYTES_BLOCK, pattern);
    }
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

static ALWAYS_INLINE bytes_vector bytes_block_other(const uint8_t *bytes, bytes_vector pattern)
{
    const bytes_vector *at = (const bytes_vector *)bytes;

    return (at[0] ^ pattern) | (at[1] ^ pattern) | (at[2] ^ pattern) | (at[3] ^ pattern);
}

static inline bool bytes_is_zero(bytes_vector vector)
{
    return (vector[0] | vector[1]) == 0;
}

/* Of at least a vector: zero if all are `byte`. */
static inline bytes_vector bytes_other(const uint8_t *bytes, uint8_t byte, size_t length)
{
    bytes_vector pattern = bytes_of(byte), other = {0, 0};
    const uint8_t *end = bytes + length;

    if (length <= BYTES_BLOCK) {
        size_t half = length <= BYTES_BLOCK / 2 ? 0 : BYTES_VECTOR;

        return (*(const bytes_vector *)bytes ^ pattern) |
               (*(const bytes_vector *)(bytes + half) ^ pattern) |
               (*(const bytes_vector *)(end - BYTES_VECTOR - half) ^ pattern) |
               (*(const bytes_vector *)(end - BYTES_VECTOR) ^ pattern);
    }
    for (; bytes < end - BYTES_BLOCK; bytes += BYTES_BLOCK) {
        other = bytes_block_other(bytes, pattern);
        if (UNLIKELY(!bytes_is_zero(other)))
            return other;
    }
    return bytes_block_other(end - BYTES_BLOCK, pattern);
}

/* Whether all are `byte`. */
static inline bool bytes_are(const uint8_t *bytes, uint8_t byte, size_t length)
{
    if (UNLIKELY(length < BYTES_VECTOR))
        return bytes_are_few(bytes, byte, length);
    return bytes_is_zero(bytes_other(bytes, byte, length));
}

#endif
