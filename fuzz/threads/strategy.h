/* Who goes on at a sync point, as an input's header says. */
#ifndef SG_FUZZ_THREADS_STRATEGY_H
#define SG_FUZZ_THREADS_STRATEGY_H

#include "random.h"
#include "scheduler.h"

#define STRATEGY_BYTES 40u
#define STRATEGY_CHANGES_MAX 2u

enum strategy_kind {
    STRATEGY_WALK,     /* at each point, with a chance of `chance` in 256, anybody */
    STRATEGY_PRIORITY, /* PCT (Burckhardt et al. 2010): the first by a random order, which changes
                        * at up to two random points; finds any bug of depth d with a known chance */
    STRATEGY_BYTES_OF_INPUT /* each byte: how long, and who then */
};

struct strategy {
    enum strategy_kind kind;
    struct random random;
    uint32_t chance;
    uint32_t step;
    uint32_t left; /* BYTES: points until the next byte */
    uint32_t next_byte;
    uint8_t bytes[STRATEGY_BYTES];
    uint32_t changes[STRATEGY_CHANGES_MAX]; /* PRIORITY: at these points; 0: never */
    uint32_t priority[SCHEDULER_THREADS_MAX];
};

/* For PRIORITY: `depth` from 1 to STRATEGY_CHANGES_MAX + 1, the points drawn from the first `steps`
 * (a run without changes tells how many there are). */
void strategy_start_priority(struct strategy *strategy, unsigned depth, uint32_t steps);

unsigned strategy_choose(void *strategy, const struct choice *choice);

#endif
