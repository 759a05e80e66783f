/* What lies in free slots: zeroes. Written when a slot is freed, so that nothing of the program's
 * can be read there, and looked for when it is handed out again, so that a write in between is
 * found. Small slots wholly; of others the edges, where headers, links and tables begin.
 *
 * Slots are multiples of 16 bytes and so aligned. The accesses are wide, and through a type that
 * may alias anything. */
#ifndef SG_HARDENING_CONTENT_H
#define SG_HARDENING_CONTENT_H

#include "compiler.h"

#define CONTENT_EDGE_BYTES 32u

typedef uint64_t content_word __attribute__((vector_size(16), may_alias));

/* For a few hundred bytes at most: a call of memset would cost more than it saves. */
#define STAYS_A_LOOP(pointer) __asm__("" : "+r"(pointer))

/* `bytes` is a multiple of 16, above 0. Up to 128 without a loop: the same words are written from
 * both ends, which costs less than to tell them apart. */
static ALWAYS_INLINE void content_clear(void *slot, size_t bytes)
{
    content_word *first = slot;
    content_word *end = (content_word *)((char *)slot + bytes);
    const content_word zero = {0, 0};

    for (; UNLIKELY(bytes > 128); bytes -= 64) {
        first[0] = first[1] = first[2] = first[3] = zero;
        first += 4;
        STAYS_A_LOOP(first);
    }
    if (bytes > 64) {
        first[2] = first[3] = zero;
        end[-3] = end[-4] = zero;
    }
    if (bytes > 32)
        first[1] = end[-2] = zero;
    first[0] = end[-1] = zero;
}

static ALWAYS_INLINE bool content_is_clear(const void *slot, size_t bytes)
{
    const content_word *first = slot;
    const content_word *end = (const content_word *)((const char *)slot + bytes);
    content_word any = {0, 0};

    for (; UNLIKELY(bytes > 128); bytes -= 64) {
        any |= (first[0] | first[1]) | (first[2] | first[3]);
        first += 4;
    }
    if (bytes > 64)
        any |= (first[2] | first[3]) | (end[-3] | end[-4]);
    if (bytes > 32)
        any |= first[1] | end[-2];
    any |= first[0] | end[-1];
    return (any[0] | any[1]) == 0;
}

static inline void content_clear_edges(void *slot, size_t bytes)
{
    content_clear(slot, CONTENT_EDGE_BYTES);
    content_clear((char *)slot + bytes - CONTENT_EDGE_BYTES, CONTENT_EDGE_BYTES);
}

static inline bool content_edges_are_clear(const void *slot, size_t bytes)
{
    return content_is_clear(slot, CONTENT_EDGE_BYTES) &&
           content_is_clear((const char *)slot + bytes - CONTENT_EDGE_BYTES, CONTENT_EDGE_BYTES);
}

/* The offset of the first byte that is not zero, or `bytes`. */
static inline size_t content_first_changed(const void *slot, size_t bytes)
{
    const unsigned char *byte = slot;
    size_t i = 0;

    while (i < bytes && byte[i] == 0)
        i++;
    return i;
}

#endif
