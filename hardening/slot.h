/* The proof that a pointer from the program is the start of a live slot.
 *
 * Knows addresses, sizes and states; never a span, and nothing of ours lies in user memory: the
 * state of each slot is a byte in metadata elsewhere.
 *
 * A state byte is written by the thread that owns the slot at that moment. No read-modify-write:
 * two threads that free one slot in the same nanoseconds both pass here and are told apart when
 * the slot is handed out again or its batch reaches the central cache, where one of them finds it
 * in the wrong state. */
#ifndef SG_HARDENING_SLOT_H
#define SG_HARDENING_SLOT_H

#include "bits.h"
#include "compiler.h"

/* Where a slot is and, when live, which interface made it. All-zero metadata is all free. */
enum slot_state {
    SLOT_CENTRAL = 0,  /* free, in its span                         */
    SLOT_CACHED,       /* free, in a thread cache                   */
    SLOT_CACHED_ZERO,  /* the same, and fresh: all reads as zero    */
    SLOT_CACHED_WIPED, /* the same, and all of it was cleared by us */
    SLOT_TRANSFER,     /* free, in a batch between thread caches    */
    SLOT_RESIZING,     /* large: realloc is at it, nobody may end it */
    SLOT_QUARANTINED,  /* large: freed, without access              */
    SLOT_LIVE_FIRST = 8,
    SLOT_LIVE_MALLOC = SLOT_LIVE_FIRST,
    SLOT_LIVE_ALIGNED,
    SLOT_LIVE_NEW,
    SLOT_LIVE_NEW_ARRAY,
    SLOT_LIVE_NEW_ALIGNED,
    SLOT_LIVE_NEW_ARRAY_ALIGNED,
    SLOT_LIVE_SHRUNK, /* by malloc, and made smaller in place since: its class says less */
    SLOT_LIVE_TYPED,  /* of a partition: ended by free, and no cache ever holds it */
    SLOT_STATE_COUNT
};

/* Relaxed loads and stores: the byte orders nothing, it is only ever compared with a constant. */
typedef _Atomic uint8_t slot_state_byte;

/* How a run of memory is cut into slots. Constant while any slot of it is live. */
struct slot_geometry {
    uintptr_t base;
    uint64_t inverse; /* of the odd part of the slot size, modulo 2^64 */
    slot_state_byte *states;
    uint32_t slot_count; /* 0: nothing here can be freed */
    uint8_t rotation;    /* log2 of the power of two in the slot size */
    uint8_t class;       /* this byte and the next two belong to whoever embeds the geometry; */
    uint8_t owner;       /* they are here because nothing else fits into one cache line with  */
    uint8_t mark;        /* what free() reads first                                           */
};

/* The index of the slot that starts exactly at `address`, or a number that is not below
 * slot_count. Multiplication by the inverse permutes the 64-bit numbers and maps exact multiples
 * of the slot size, and only them, to their quotient (Granlund and Montgomery 1994): so the one
 * comparison with slot_count proves range, alignment and slot boundary together. */
static inline uint64_t slot_index(const struct slot_geometry *geometry, const void *address)
{
    uint64_t offset = (uintptr_t)address - geometry->base;

    return rotate_right(offset * geometry->inverse, geometry->rotation);
}

/* The state byte of the slot that starts at `address`, or NULL if none does. */
static inline slot_state_byte *slot_state_of(const struct slot_geometry *geometry,
                                             const void *address)
{
    uint64_t index = slot_index(geometry, address);

    if (UNLIKELY(index >= geometry->slot_count))
        return NULL;
    return &geometry->states[index];
}

static inline bool slot_state_is_cached(uint8_t state)
{
    return state >= SLOT_CACHED && state <= SLOT_CACHED_WIPED;
}

static inline bool slot_state_is_live(uint8_t state)
{
    return state >= SLOT_LIVE_FIRST;
}

#endif
