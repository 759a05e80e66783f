/* What the exhaustive mode plays: calls of two threads, after some that prepare them. */
#ifndef SG_FUZZ_THREADS_SCENARIOS_H
#define SG_FUZZ_THREADS_SCENARIOS_H

#include "actions.h"

#define SCENARIO_THREADS 2u
#define SCENARIO_CALLS_MAX 8u

/* Ends with a count of 0. */
struct scenario_call {
    enum action_op op;
    unsigned count; /* on as many slots from `slot` on */
    unsigned slot;
    size_t bytes;
    uint8_t delta;
};

struct scenario {
    const char *name; /* NULL: behind the last one */
    size_t thread_cache_bytes;
    size_t dirty_bytes;
    struct scenario_call before[SCENARIO_CALLS_MAX]; /* by one thread, which retires then */
    struct scenario_call calls[SCENARIO_THREADS][SCENARIO_CALLS_MAX];
};

extern const struct scenario scenarios[];

void scenario_begin(const struct scenario *scenario);
void scenario_play(const struct scenario *scenario, unsigned thread);
void scenario_end(const struct scenario *scenario);

#endif
