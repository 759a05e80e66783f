/* Real threads, one of which runs at a time: the others are parked, and who goes on is chosen at
 * the sync points of the tiers (sync_point.h), around their calls of the kernel that change
 * memory, and at scheduler_point(). So a run is a function of the choices, and so is a race.
 *
 * The locks of the tiers are not modelled: they run as they are, and only their waiting in the
 * kernel is played here. A wait ends with a wake-up; a time runs out when nobody else can go on,
 * or when it is chosen. Threads stay parked between runs: to make one costs more than a run.
 *
 * Ends the process: all wait for each other; somebody waits for a word that has long changed (a
 * lost wake-up); too many steps. */
#ifndef SG_FUZZ_THREADS_SCHEDULER_H
#define SG_FUZZ_THREADS_SCHEDULER_H

#include "laboratory.h"

#define SCHEDULER_THREADS_MAX 8u

struct choice {
    unsigned current;  /* who has run so far; SCHEDULER_THREADS_MAX: nobody */
    uint32_t runnable; /* bit i: thread i can go on; never 0 */
    uint32_t timed;    /* bit i: thread i waits, and its time could run out now */
};

/* Who goes on: a bit of `runnable`, or of `timed`. */
typedef unsigned chooser(void *strategy, const struct choice *choice);

struct scheduler_run {
    unsigned threads; /* 1 to SCHEDULER_THREADS_MAX */
    /* What a thread does. True: it ends really, with its destructors, and another with the same
     * number takes its place and calls this again; one at a time. */
    bool (*body)(unsigned thread);
    chooser *choose;
    void *strategy;
    uint32_t steps_max;
};

struct scheduler_result {
    uint64_t trace; /* a hash of all choices and of the points where they were made */
    uint32_t steps; /* points passed */
    uint32_t switches;
};

/* Takes laboratory.sync and .kernel over for the time of the run; what was there serves what is
 * not played here. */
struct scheduler_result scheduler_run(const struct scheduler_run *run);

/* In a forked child, whose parent's threads are not there: it makes its own. */
void scheduler_after_fork(void);

/* A sync point of the harness itself. Does nothing on a thread that is none of the run. */
void scheduler_point(void);

/* In between, points are none and the caller goes on: for a look at the tiers as they stand. */
void scheduler_pause(void);
void scheduler_resume(void);

/* The number of the calling thread in the run. */
unsigned scheduler_self(void);

/* So far; for the last words of a process. */
struct scheduler_result scheduler_so_far(void);

#endif
