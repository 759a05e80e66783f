/* Settings, in their types, within their ranges. Defaults hold from the first instruction on;
 * what the environment says takes effect when sg_options_load() runs. */
#ifndef SG_OPTIONS_OPTIONS_H
#define SG_OPTIONS_OPTIONS_H

#include "compiler.h"

struct options {
#define OPTION(name, default_, min, max, help) _Atomic uint64_t name;
#include "options.def"
#undef OPTION
};

/* Relaxed: each value stands for itself. */
extern HIDDEN struct options sg_options;

/* Reads SPANGUARD_OPTIONS ("name=value:name=value"; sizes may end in K, M or G). A wrong entry is
 * named on stderr and has no effect; the others count. `help=1` prints every option with its value
 * and where that came from. Nothing is read when the kernel distrusts the environment. */
HIDDEN void sg_options_load(void);

/* For tests: the same on a text that is given. */
HIDDEN void sg_options_apply(const char *text);

#endif
