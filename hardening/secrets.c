#include "secrets.h"

static struct random root;

void sg_secrets_start(void)
{
    sg_random_seed(&root);
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
