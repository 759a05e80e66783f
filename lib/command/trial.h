/* A trial: the command runs itself under the library, with the environment that the program will
 * have. Tells whether the library loads, and what it says of its options; so the answer is that of
 * the very library that will serve. Takes some milliseconds. */
#ifndef SG_COMMAND_TRIAL_H
#define SG_COMMAND_TRIAL_H

#include "library.h"

/* What the command calls itself with; not for people. */
#define TRIAL_ARGUMENT "--trial"
MUST_USE int sg_trial_serve(void);

/* LD_PRELOAD and SPANGUARD_OPTIONS for the program. */
struct surroundings {
    char *preload;
    char *options;
};

/* The library before what LD_PRELOAD already names, but for others of ours; `added` after what
 * SPANGUARD_OPTIONS already says. */
MUST_USE struct surroundings sg_surroundings(const struct library *library, const char *added);

/* Sets them in this process. */
void sg_surroundings_set(const struct surroundings *surroundings);

MUST_USE bool sg_trial(const struct library *library, const struct surroundings *surroundings,
                       struct verdict *ret_verdict);

#endif
