/* What the exhaustive mode plays: calls of two threads, after some that prepare them. */
#ifndef SG_FUZZ_THREADS_SCENARIOS_H
#define SG_FUZZ_THREADS_SCENARIOS_H

#include "actions.h"

#define SCENARIO_THREADS 2u
#define SCENARIO_CALLS_MAX 8u

/* Besides enum action_op: the block of a slot is freed, or resized to `bytes`, behind the back of
 * the model. */
#define SCENARIO_MISUSE 16u

/* A block of a partition, of which there is one, is made, and freed. */
#define SCENARIO_MAKE_TYPED 17u
#define SCENARIO_END_TYPED 18u

/* Ends with a count of 0. */
struct scenario_call {
    unsigned op;
    unsigned count; /* on as many slots from `slot` on */
    unsigned slot;
    size_t bytes;
    uint8_t delta;
};

struct scenario {
    const char *name; /* NULL: behind the last one */
    size_t thread_cache_bytes;
    size_t dirty_bytes;
    bool is_misuse; /* the process must end with one report of a double free */
    struct scenario_call before[SCENARIO_CALLS_MAX]; /* by one thread, which retires then */
    struct scenario_call
        after[SCENARIO_CALLS_MAX]; /* of a misuse: at the latest it is found here */
    struct scenario_call calls[SCENARIO_THREADS][SCENARIO_CALLS_MAX];
};

extern const struct scenario scenarios[];

void scenario_begin(const struct scenario *scenario);
void scenario_play(const struct scenario *scenario, unsigned thread);
void scenario_play_after(const struct scenario *scenario);
void scenario_end(const struct scenario *scenario);

#endif
