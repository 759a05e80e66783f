/* The last eight bytes of a live slot: a value that depends on secrets and on the address, so that
 * it can neither be foretold nor copied from elsewhere, xored with the count of bytes between what
 * the program asked for and here (the slack), spread over seven bytes so that a change of any of
 * them is no other count. The first byte in memory is zero: a string that lost
 * its end stops there when it is read, and a string copy cannot write it back.
 *
 * The slack is zero as well, so that one byte beyond the request is seen if it is not a zero; of
 * long slacks the first CANARY_SLACK_BYTES count.
 *
 * Costs eight bytes a block, what glibc's header costs; the one thing of ours in user memory. Its
 * value is derived and not stored elsewhere. After an idea of mimalloc's padding. */
#ifndef SG_HARDENING_CANARY_H
#define SG_HARDENING_CANARY_H

#include "bits.h"
#include "compiler.h"
#include "secrets.h"

#define CANARY_BYTES ((size_t)8)
#define CANARY_SLACK_BYTES ((size_t)16)

static inline uint64_t canary_at(uintptr_t place)
{
    return folded_product(place ^ sg_keys.canary, sg_keys.canary_factor) & ~(uint64_t)0xff;
}

static inline uint64_t canary_load(const void *place)
{
    uint64_t word;

    __builtin_memcpy(&word, place, sizeof(word));
    return word;
}

/* Odd, so that a multiplication undoes it; below 2^32, so that the product of a slack fits. */
#define CANARY_SPREAD ((uint64_t)0x9e3779b1)
#define CANARY_GATHER ((uint64_t)0xcfa4a56b0e8b2f51) /* its inverse modulo 2^64 */
static_assert(CANARY_SPREAD * CANARY_GATHER == 1, "one undoes the other");

/* `end`: of the slot; `slack`: bytes between the program's and the canary, below 2^24. */
static inline void canary_write(char *end, size_t slack)
{
    char *place = end - CANARY_BYTES;
    uint64_t word = canary_at((uintptr_t)place) ^ slack * CANARY_SPREAD << 8;

    __builtin_memcpy(place, &word, sizeof(word));
}

/* The slack that the canary tells of; above `slack_max` if the canary is damaged. */
static inline size_t canary_slack(const char *end)
{
    const char *place = end - CANARY_BYTES;

    return rotate_right(canary_load(place) ^ canary_at((uintptr_t)place), 8) * CANARY_GATHER;
}

/* Whether the bytes in front of the canary that count are zero, when there are more than eight. */
static inline bool canary_long_slack_is_clear(const char *end, size_t slack)
{
    const char *from = end - CANARY_BYTES - slack;

    if (slack >= CANARY_SLACK_BYTES)
        return (canary_load(from) | canary_load(from + 8)) == 0;
    return (canary_load(from) | canary_load(end - 2 * CANARY_BYTES)) == 0;
}

/* Whether the canary, and what lies between the block and it, is whole; `*ret_slack` is how much
 * that is. No slot is shorter than 16 bytes, so that eight of slack always fit. */
static ALWAYS_INLINE bool canary_is_whole(const char *end, size_t usable_bytes, size_t *ret_slack)
{
    size_t slack = canary_slack(end);

    *ret_slack = slack;
    if (slack == 0)
        return true;
    if (LIKELY(slack <= 8))
        return canary_load(end - 2 * CANARY_BYTES) >> (-8 * slack & 63) == 0;
    return slack <= usable_bytes && canary_long_slack_is_clear(end, slack);
}

/* Whether the place of the canary and the slack that counts are zero, of a slot that was never
 * handed out. Anything else was written before there was a block to overflow. */
static inline bool canary_place_is_clear(const char *end, size_t slack)
{
    if ((canary_load(end - CANARY_BYTES) | canary_load(end - 2 * CANARY_BYTES)) != 0)
        return false;
    return slack <= 8 || canary_long_slack_is_clear(end, slack);
}

/* Makes them so, where the slot was not cleared. */
static inline void canary_clear_slack(char *end, size_t slack)
{
    __builtin_memset(end - CANARY_BYTES - slack, 0,
                     slack < CANARY_SLACK_BYTES ? slack : CANARY_SLACK_BYTES);
}

/* What a damaged canary or slack tells. */
struct canary_damage {
    size_t block_bytes; /* what the program asked for, or the most that fits where that is lost */
    size_t first;       /* offset of the first changed byte, from the start of the slot */
    size_t bytes_before_next; /* the end is damaged and the beginning whole: so many bytes were
                               * written before the block that follows; else 0 */
};

HIDDEN struct canary_damage sg_canary_damage(const char *slot, size_t slot_bytes);

#endif
