/* Rights that a program gets by its file: then the loader ignores LD_PRELOAD, without a word. */
#include "target.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The file's rights do not count then. */
static bool are_ignored(const char *path)
{
    struct statvfs mount;

    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return true;
    return statvfs(path, &mount) == 0 && (mount.f_flag & ST_NOSUID) != 0;
}

static bool is_free(const char *path, struct verdict *verdict)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return sg_refuse(verdict, STATUS_REFUSED, "'%s' cannot be looked at", path);
    if ((status.st_mode & S_ISUID) != 0 && status.st_uid != getuid())
        return sg_refuse(verdict, STATUS_REFUSED,
                         "'%s' is set-uid: the loader ignores LD_PRELOAD in it", path);
    if ((status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && status.st_gid != getgid())
        return sg_refuse(verdict, STATUS_REFUSED,
                         "'%s' is set-gid: the loader ignores LD_PRELOAD in it", path);
    if (getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0)
        return sg_refuse(verdict, STATUS_REFUSED,
                         "'%s' has file capabilities: the loader ignores LD_PRELOAD in it", path);
    return true;
}

bool sg_target_gains_rights(const char *path, struct verdict *ret_verdict)
{
    return !are_ignored(path) && !is_free(path, ret_verdict);
}
