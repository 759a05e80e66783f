/* Paths that outlive a change of the current folder. Raw system calls: errno stays as it is. */
#ifndef SG_OS_PATH_H
#define SG_OS_PATH_H

#include "os_file.h"

/* The path from / on that means now what `path` does; false if it does not fit, or the current
 * folder has no path. */
HIDDEN MUST_USE bool sg_os_absolute_path(const char *path, struct os_path *ret_path);

#endif
