#include "target.h"

struct random target_random(uint64_t seed, uint64_t index)
{
    struct random random = {.state = {seed * 2 + 1, index}};

    for (int i = 0; i < 8; i++) /* the first numbers still resemble the seed */
        (void)random_next(&random);
    return random;
}
