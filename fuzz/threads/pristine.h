/* An input runs as the first of its process, and all processes begin alike: addresses are not
 * randomised, and the tiers' random numbers are not either. So what an input does follows from the
 * input alone, in whatever sequence it was found. */
#ifndef SG_FUZZ_THREADS_PRISTINE_H
#define SG_FUZZ_THREADS_PRISTINE_H

#include <stdbool.h>

/* True in a new process, which runs the input and ends with pristine_leave(); false in the caller
 * once that has happened. A process that died of a signal takes the caller with it, by the same.
 * Under libFuzzer there is no new process, since it would miss what was covered: just true. */
bool pristine_enter(void);
void pristine_leave(void);

#endif
