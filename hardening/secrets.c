#include "secrets.h"

#include "os_random.h"

SEALED struct keys sg_keys;

static SEALED struct random root;

void sg_secrets_start(bool encodes)
{
    sg_random_seed(&root);
    /* Not from the generator: who learns where blocks lie learns nothing of the keys. */
    (void)sg_os_random(&sg_keys, sizeof(sg_keys));
    sg_keys.canary_factor |= 1;
    if (!encodes)
        sg_keys = (struct keys){.canary = sg_keys.canary, .canary_factor = sg_keys.canary_factor};
}

void sg_secrets_fix(uint64_t seed)
{
    root = (struct random){{seed * 0x9e3779b97f4a7c15u, seed | 1}};
    struct random drawn = sg_secrets_random(UINT64_MAX);

    sg_keys = (struct keys){.slot = random_next(&drawn),
                            .state = random_next(&drawn),
                            .tag = random_next(&drawn),
                            .canary = random_next(&drawn),
                            .canary_factor = random_next(&drawn) | 1};
}

struct random sg_secrets_random(uint64_t purpose)
{
    struct random derived = root;

    derived.state[0] ^= purpose * 0x9e3779b97f4a7c15u;
    /* The first outputs of a xoroshiro still resemble its seed. */
    for (int i = 0; i < 4; i++)
        (void)random_next(&derived);
    derived.state[0] |= 1;
    return derived;
}
