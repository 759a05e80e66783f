/* The tiers from the inside: their own checks, and sums that must agree. Needs the debug build, and that no
 * other thread is inside. */
#ifndef SG_FUZZ_WALK_H
#define SG_FUZZ_WALK_H

#include "shadow.h"

/* Every list, every free run, the span of every live block. */
void walk_lists(const struct shadow *shadow);

/* walk_lists(), walk_spans(). */
void walk_check(const struct shadow *shadow);

/* The page map, the ledger of the arena, all states of all slots; see walk_spans.c. Returns the
 * bytes that wait without memory for their own class (`isolate_classes`). */
size_t walk_spans(const struct shadow *shadow);

/* What the counters say must be what the model holds. */
void walk_statistics(const struct shadow *shadow);

/* After a trim: no more dirty memory than was to be kept. */
void walk_trimmed(size_t keep_bytes);

/* Nothing is live: after a trim all memory must be clean. */
void walk_end(void);

#endif
