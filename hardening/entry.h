/* A free slot at rest in a cache: its address and that of its state byte, encoded.
 *
 * Both words are mixed with secrets of the process and with the place where they lie, and 16 bits
 * of a keyed hash over the two fill the high bits that addresses do not use. So an attacker who can
 * write into a cache cannot make it hand out an address of his choice, neither by writing one nor
 * by copying an entry from elsewhere: the entry does not decode, which is a report (P803). One in
 * 65,536 blind guesses passes the hash; what it yields is an address that nobody chose.
 *
 * The hash is the folded 128-bit product of wyhash (Wang Yi, 2019). It does not depend on the
 * place, so that moving an entry costs two exclusive-ors. */
#ifndef SG_HARDENING_ENTRY_H
#define SG_HARDENING_ENTRY_H

#include "secrets.h"
#include "slot.h"

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

/* Keys again, so that nobody can make a factor zero, and with it the tag. */
static inline uint64_t entry_tag(uint64_t slot_word, uint64_t state_word)
{
    return folded_product(slot_word ^ sg_keys.tag_slot, state_word ^ sg_keys.tag_state) >>
           ENTRY_ADDRESS_BITS;
}

static inline void entry_encode(struct cache_entry *entry, void *slot, slot_state_byte *state)
{
    uint64_t place = (uintptr_t)entry;
    uint64_t slot_word = (uintptr_t)slot ^ sg_keys.slot;
    uint64_t state_word = ((uintptr_t)state ^ sg_keys.state) & ENTRY_ADDRESS_MASK;
    uint64_t tag = entry_tag(slot_word, state_word);

    entry->slot_word = slot_word ^ place;
    entry->state_word = (state_word | tag << ENTRY_ADDRESS_BITS) ^ place;
}

/* False: this is not what entry_encode() or entry_move() left here; `*ret_slot` means nothing. */
static inline bool entry_decode(const struct cache_entry *entry, struct free_slot *ret_slot)
{
    uint64_t place = (uintptr_t)entry;
    uint64_t slot_word = entry->slot_word ^ place;
    uint64_t tagged = entry->state_word ^ place;
    uint64_t state_word = tagged & ENTRY_ADDRESS_MASK;
    uint64_t tag = tagged >> ENTRY_ADDRESS_BITS;

    ret_slot->slot = (void *)(slot_word ^ sg_keys.slot);
    ret_slot->state =
        (slot_state_byte *)((state_word ^ sg_keys.state) & ENTRY_ADDRESS_MASK);
    return ((entry_tag(slot_word, state_word) ^ tag) & sg_keys.tag_mask) == 0;
}

static inline void entry_move(struct cache_entry *to, const struct cache_entry *from)
{
    uint64_t places = (uintptr_t)to ^ (uintptr_t)from;

    to->slot_word = from->slot_word ^ places;
    to->state_word = from->state_word ^ places;
}

#endif
