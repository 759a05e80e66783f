/* Which file it is, whatever the program does to its folder and descriptors.
 * Raw system calls: errno stays as it is. */
#ifndef SG_OS_PATH_H
#define SG_OS_PATH_H

#include "os_file.h"

/* The path from / on that means now what `path` does; false if it does not fit, or the current
 * folder has no path. */
HIDDEN MUST_USE bool sg_os_absolute_path(const char *path, struct os_path *ret_path);

struct os_identity {
    uint64_t device, inode;
};

/* Whether the descriptor is open and of this regular file. */
HIDDEN MUST_USE bool sg_os_is_file(int descriptor, struct os_identity identity);

#endif
