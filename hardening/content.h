/* What lies in free slots: zeroes. Written when a slot is freed, so that nothing of the program's
 * can be read there, and looked for when it is handed out again, so that a write in between is
 * found. Small slots wholly; of others the edges, where headers, links and tables begin.
 *
 * Slots are multiples of 16 bytes and so aligned. The accesses are wide, and through a type that
 * may alias anything. */
#ifndef SG_HARDENING_CONTENT_H
#define SG_HARDENING_CONTENT_H

#include "compiler.h"

#define CONTENT_EDGE_BYTES 64u

typedef uint64_t content_word __attribute__((vector_size(16), may_alias));

/* For a few hundred bytes at most: a call of memset would cost more than it saves. */
#define STAYS_A_LOOP(pointer) __asm__("" : "+r"(pointer))

/* `bytes` is a multiple of 16, above 0. */
static ALWAYS_INLINE void content_clear(void *slot, size_t bytes)
{
    content_word *word = slot;
    content_word *last = word + bytes / sizeof(*word) - 1;
    const content_word zero = {0, 0};

    for (; word + 4 <= last; word += 4) {
        word[0] = word[1] = word[2] = word[3] = zero;
        STAYS_A_LOOP(word);
    }
    for (; word <= last; word++) {
        *word = zero;
        STAYS_A_LOOP(word);
    }
}

static ALWAYS_INLINE bool content_is_clear(const void *slot, size_t bytes)
{
    const content_word *word = slot;
    const content_word *last = word + bytes / sizeof(*word) - 1;
    content_word any = {0, 0};

    for (; word + 4 <= last; word += 4)
        any |= (word[0] | word[1]) | (word[2] | word[3]);
    for (; word <= last; word++)
        any |= *word;
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
