/* Settings, in their types, within their ranges. The values of the profile `hardened` hold from
 * the first instruction on; what files, program and environment say from sg_options_load() on. */
#ifndef SG_OPTIONS_OPTIONS_H
#define SG_OPTIONS_OPTIONS_H

#include "compiler.h"

/* Values of CHOICE options: indices into their choices, the weaker first. */
enum profile {
    PROFILE_FAST,
    PROFILE_HARDENED,
    PROFILE_STRICT,
    PROFILE_COUNT,                 /* of the columns in options.def */
    PROFILE_DEBUG = PROFILE_COUNT, /* these two mean something in the debug library only */
    PROFILE_GUARD,
};
enum pool_choice { POOL_SYSTEM, POOL_THREE_TIER, POOL_GUARDED };
enum report_format { FORMAT_TEXT, FORMAT_JSONL, FORMAT_ASAN };
enum on_report { ON_REPORT_ABORT, ON_REPORT_EXIT, ON_REPORT_CONTINUE };
enum guard_side { GUARD_ABOVE, GUARD_BELOW };

/* Values of `report`: from REPORT_TO_FD on they are a descriptor plus REPORT_TO_FD. */
enum report_choice { REPORT_TO_STDERR, REPORT_TO_JOURNAL, REPORT_TO_FD };

struct options {
#define OPTION(name, kind, stronger, fast, hardened, strict, min, max, choices, help) uint64_t name;
#include "options.def"
#undef OPTION
};

/* Constant once the first block is handed out: plain reads. */
extern HIDDEN SEALED struct options sg_options;

/* Where settings come from, the weaker first. A test passes its own, the library the real ones. */
struct options_sources {
    const char *folder;      /* that holds spanguard.conf and spanguard.conf.d */
    uint32_t owner;          /* user whose files count */
    bool is_secure;          /* the kernel distrusts who started us: only files count */
    const char *program;     /* text in the program, or NULL */
    const char *environment; /* text in SPANGUARD_OPTIONS, or NULL */
};

/* Reads every source. A wrong entry is named on stderr and has no effect; the others count. A text
 * is "name=value:name=value"; `help=1` in it prints every option with its value and its origin.
 * Allocates nothing and needs less than 8 KiB of stack. */
HIDDEN void sg_options_load(void);
HIDDEN void sg_options_load_from(const struct options_sources *sources);

/* In the debug library only: takes the defences of the other one back that its own replace. */
__attribute__((weak)) HIDDEN void sg_options_of_debug(struct options *options);

/* For tests and fuzzing, before the options are sealed: `text`, as if from the environment, over
 * the values that hold now. */
HIDDEN void sg_options_apply(const char *text);

#endif
