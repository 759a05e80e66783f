/* Inputs from chance, in the manner of a swarm: each keeps to a few slots, a few sizes and a part
 * of the ops, so that the same places are met again and again. */
#ifndef SG_FUZZ_GENERATE_H
#define SG_FUZZ_GENERATE_H

#include "ops.h"
#include "random.h"

/* Fills up to `most` bytes; returns how many. */
size_t generate_input(struct random *random, uint8_t *bytes, size_t most);

/* Gives a record the slot or the size of another, or another op or size near its own. */
void generate_change(struct random *random, uint8_t *record, const uint8_t *other);

#endif
