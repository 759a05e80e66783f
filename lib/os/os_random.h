/* Unpredictable bits from the kernel. */
#ifndef SG_OS_RANDOM_H
#define SG_OS_RANDOM_H

#include "compiler.h"

/* Fills `bytes` from getrandom(2) without ever waiting. Where the kernel refuses (a seccomp
 * filter, early boot) the bits come from AT_RANDOM, the clock and our own randomised address:
 * weaker, never constant. False says that this happened. */
HIDDEN bool sg_os_random(void *bytes, size_t count);

#endif
