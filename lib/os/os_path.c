#include "os_path.h"

#include "format.h"
#include "os_syscall.h"

#include <sys/stat.h>

bool sg_os_absolute_path(const char *path, struct os_path *ret_path)
{
    struct text text = sg_text_begin(ret_path->bytes, sizeof(ret_path->bytes));

    if (path[0] != '/') {
        long got = os_syscall3(SYS_getcwd, (long)ret_path->bytes, sizeof(ret_path->bytes), 0);

        /* Of a folder outside of the process's root the kernel says "(unreachable)..." */
        if (os_failed(got) || ret_path->bytes[0] != '/')
            return false;
        text.length = (size_t)got - 1;
        sg_text_string(&text, "/");
    }
    if (text.length + __builtin_strlen(path) >= text.capacity)
        return false;
    sg_text_string(&text, path);
    return true;
}

bool sg_os_is_file(int descriptor, struct os_identity identity)
{
    struct stat status = {0}; /* as the kernel lays it out on the 64-bit machines we know */

    return !os_failed(os_syscall3(SYS_fstat, descriptor, (long)&status, 0)) &&
           S_ISREG(status.st_mode) && status.st_dev == identity.device &&
           status.st_ino == identity.inode;
}
