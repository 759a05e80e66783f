/* Small fast generator for choices that are many and each worth little: which free slot comes
 * next, where a metadata region lies. xoroshiro128++ (Blackman and Vigna, 2019), seeded from the
 * kernel. Not for keys: those come from sg_os_random() themselves. */
#ifndef SG_HARDENING_RANDOM_H
#define SG_HARDENING_RANDOM_H

#include "bits.h"
#include "compiler.h"

struct random {
    uint64_t state[2]; /* guarded by the lock of whatever it belongs to */
};

HIDDEN void sg_random_seed(struct random *random);

static inline uint64_t random_next(struct random *random)
{
    uint64_t first = random->state[0];
    uint64_t second = random->state[1];
    uint64_t result = rotate_right(first + second, 64 - 17) + first;

    second ^= first;
    random->state[0] = rotate_right(first, 64 - 49) ^ second ^ (second << 21);
    random->state[1] = rotate_right(second, 64 - 28);
    return result;
}

/* Uniform in [0, limit); `limit` below 2^32. (Lemire's multiplication, its tiny bias accepted.) */
static inline uint32_t random_below(struct random *random, uint32_t limit)
{
    return (uint32_t)(((random_next(random) >> 32) * limit) >> 32);
}

#endif
