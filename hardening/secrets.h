/* Random values of this process, drawn once at start and never written again. */
#ifndef SG_HARDENING_SECRETS_H
#define SG_HARDENING_SECRETS_H

#include "random.h"

/* Once, before any other call here; reseeds in a forked child that wants secrets of its own. */
HIDDEN void sg_secrets_start(void);

/* A generator for one user, told apart from all others by `purpose`. Costs no system call. */
HIDDEN struct random sg_secrets_random(uint64_t purpose);

#endif
