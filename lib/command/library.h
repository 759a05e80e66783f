/* Which library serves a profile, and where it is. */
#ifndef SG_COMMAND_LIBRARY_H
#define SG_COMMAND_LIBRARY_H

#include "command.h"

#include <limits.h>

struct library {
    bool is_debug;
    char path[PATH_MAX]; /* absolute */
};

/* Names of the profiles, ended by NULL. */
extern const char *const sg_profiles[];

MUST_USE bool sg_profile_is_known(const char *name);
MUST_USE bool sg_profile_is_debug(const char *name);

/* The library beside the command's own file: in the same folder (a build), in the lib folders
 * next to its bin folder (an installation), or where the build was configured to install it. */
MUST_USE bool sg_library_find(bool is_debug, struct library *ret_library,
                              struct verdict *ret_verdict);

/* Whether a path, of LD_PRELOAD or of a mapping, names one of our allocators. */
MUST_USE bool sg_library_is_ours(const char *path);

/* The folder of the command's file; false without /proc. */
MUST_USE bool sg_own_folder(char folder[PATH_MAX]);

#endif
