/* Random values of this process, drawn once at start and never written again. */
#ifndef SG_HARDENING_SECRETS_H
#define SG_HARDENING_SECRETS_H

#include "random.h"

/* Keys of the defences; read-only once the process runs. All zero before the start. */
struct keys {
    uint64_t slot; /* entry.h */
    uint64_t state;
    uint64_t tag;
    uint64_t canary; /* canary.h */
    uint64_t canary_factor;
};

extern HIDDEN struct keys sg_keys;

/* Once, before any other call here. `encodes`: whether entries of caches are (entry.h); else their
 * words are as they are, which an attacker can write as well. */
HIDDEN void sg_secrets_start(bool encodes);

/* The same, but from a number: every process with the same one makes the same choices. For fuzzing
 * with the debug library, never for a defence. */
HIDDEN void sg_secrets_fix(uint64_t seed);

/* Who draws, one bit pattern each; the lower half tells generators of one kind apart. By number and
 * not by address: the same key gives the same choices wherever the loader put us. */
#define SECRETS_CLASS ((uint64_t)0)
#define SECRETS_CACHE ((uint64_t)1 << 56) /* the address of a record is below */
#define SECRETS_QUARANTINE ((uint64_t)2 << 56)
#define SECRETS_GUARD ((uint64_t)3 << 56)
#define SECRETS_LEAD ((uint64_t)4 << 56)
#define SECRETS_PARTITION ((uint64_t)5 << 56)
#define SECRETS_METADATA ((uint64_t)6 << 56)

/* A generator for one user, told apart from all others by `purpose`. Costs no system call. */
HIDDEN struct random sg_secrets_random(uint64_t purpose);

/* The two halves of the product, folded: each bit depends on all bits of both (wyhash). */
static inline uint64_t folded_product(uint64_t one, uint64_t other)
{
    unsigned __int128 product = (unsigned __int128)one * other;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#endif
