/* The header of an input: how the process that it plays begins. What is missing reads as zero, the
 * usual way.
 *
 *   byte 0   profile, place of the arena
 *   byte 1   bounds of caches, how much is looked at
 *   byte 2   defences
 *   3 to 7   seed */
#ifndef SG_FUZZ_TUNING_H
#define SG_FUZZ_TUNING_H

#include "laboratory.h"

#define TUNING_BYTES 8u

struct tuning {
    char options[LABORATORY_OPTIONS_BYTES];
    struct laboratory_settings settings; /* with these options */
    unsigned calls_per_walk;
    bool is_dense; /* contents are looked at in full */
};

void tuning_read(struct tuning *ret_tuning, const uint8_t *header, size_t bytes);

#endif
