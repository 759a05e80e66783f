/* The tiers from the inside: their own checks, sums that must agree, and the way back to how a
 * process begins, so that no input depends on the ones before it. Needs the debug build, and that
 * no other thread is inside. */
#ifndef SG_FUZZ_WALK_H
#define SG_FUZZ_WALK_H

#include "shadow.h"

/* Every list, every free run, the span of every live block. */
void walk_check(const struct shadow *shadow);

/* What the counters say must be what the model holds. */
void walk_statistics(const struct shadow *shadow);

/* After a trim: no more dirty memory than was to be kept. */
void walk_trimmed(size_t keep_bytes);

/* Before an input. `seed` decides all choices that the central cache leaves to chance. */
void walk_start(uint64_t seed);

/* Nothing is live: after a trim all memory must be clean. Then everything but the map of addresses
 * becomes as in a new process, and no record may be left over. */
void walk_end(void);

#endif
