/* Functions with frames of every form that compilers make, which call each other at random and
 * hold each capture against a fresh walk. */
#ifndef SG_UNIT_CAPTURE_FRAMES_H
#define SG_UNIT_CAPTURE_FRAMES_H

#include "capture.h"

struct tour {
    uint64_t random;
    uint64_t captures;
    uint64_t wrong;  /* captures that were not what the walk found */
    uint64_t path;   /* which functions come next, four bits each */
    bool is_doubted; /* also hold the walk against that of libgcc */
};

typedef int (*tour_caller)(struct tour *tour, int (*back)(struct tour *tour));

uint64_t tour_random(struct tour *tour);

/* Some captures under `levels` frames. */
void tour_visit(struct tour *tour, unsigned levels);

/* As many captures, under stacks of which each is like others up to a frame. */
void tour_wander(struct tour *tour, uint64_t captures);

/* A capture under whatever `call` puts on the stack. */
void tour_call(struct tour *tour, tour_caller call);

#endif
