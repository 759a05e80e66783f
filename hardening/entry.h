/* A free slot at rest in a cache: its address and that of its state byte, encoded.
 *
 * Both words are mixed with secrets of the process and with the place where they lie, and 16 bits
 * of a keyed hash over the two fill the high bits that addresses do not use. So an attacker who can
 * write into a cache cannot make it hand out an address of his choice, neither by writing one nor
 * by copying an entry from elsewhere: the entry does not decode, which is a report (P803). One in
 * 65,536 blind guesses passes the hash; what it yields is an address that nobody chose.
 *
 * The hash is the high part of a product (multiply-shift, Dietzfelbinger 1997), one factor keyed.
 * The other is an address of 41 to 48 bits: so the first is rotated, or a change of its lowest bits
 * would not reach the part that is taken. What it does not see now are some of the bits 55 to 61,
 * which no address has. It does not depend on the place, so that moving an entry costs two
 * exclusive-ors. */
#ifndef SG_HARDENING_ENTRY_H
#define SG_HARDENING_ENTRY_H

#include "secrets.h"
#include "slot.h"
#include "without.h"

struct cache_entry {
    uint64_t slot_word;
    uint64_t state_word;
};

struct free_slot {
    void *slot;
    slot_state_byte *state;
};

#define ENTRY_ADDRESS_BITS 48
#define ENTRY_ADDRESS_MASK (((uint64_t)1 << ENTRY_ADDRESS_BITS) - 1)

static inline uint64_t entry_tag(uint64_t slot, uint64_t state)
{
#if SG_WITHOUT_ENCODE
    return (void)slot, (void)state, 0;
#else
    return (rotate_right(slot ^ sg_keys.tag, 64 - 9) * (state * 2 + 1)) >> ENTRY_ADDRESS_BITS;
#endif
}

static inline void entry_encode(struct cache_entry *entry, void *slot, slot_state_byte *state)
{
    uint64_t place = (uintptr_t)entry;
    uint64_t tag = entry_tag((uintptr_t)slot, (uintptr_t)state);

    entry->slot_word = (uintptr_t)slot ^ sg_keys.slot ^ place;
    entry->state_word = ((uintptr_t)state | tag << ENTRY_ADDRESS_BITS) ^ sg_keys.state ^ place;
}

/* False: this is not what entry_encode() or entry_move() left here; `*ret_slot` means nothing. */
static inline bool entry_decode(const struct cache_entry *entry, struct free_slot *ret_slot)
{
    uint64_t place = (uintptr_t)entry;
    uint64_t slot = entry->slot_word ^ sg_keys.slot ^ place;
    uint64_t tagged = entry->state_word ^ sg_keys.state ^ place;
    uint64_t state = tagged & ENTRY_ADDRESS_MASK;

    ret_slot->slot = (void *)slot;
    ret_slot->state = (slot_state_byte *)state;
    return entry_tag(slot, state) == tagged >> ENTRY_ADDRESS_BITS;
}

static inline void entry_move(struct cache_entry *to, const struct cache_entry *from)
{
    uint64_t places = (uintptr_t)to ^ (uintptr_t)from;
    uint64_t slot_word = from->slot_word ^ places;

    /* Kept apart: one load of both words would wait for the two stores that wrote them. */
    __asm__("" : "+r"(slot_word));
    to->state_word = from->state_word ^ places;
    to->slot_word = slot_word;
}

#endif
