#include "os_process.h"

#include "os_syscall.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <unistd.h>

static long read_link(const char *link, char path[OS_PROGRAM_PATH_BYTES])
{
    return os_syscall6(SYS_readlinkat, AT_FDCWD, (long)link, (long)path, OS_PROGRAM_PATH_BYTES - 1,
                       0, 0);
}

/* For a script, /proc names the interpreter and AT_EXECFN the script: the first is the module. Once
 * the first thread has ended, /proc/self says nothing of this kind. */
bool sg_os_executable_path(char path[OS_PROGRAM_PATH_BYTES])
{
    const char *name = (const char *)getauxval(AT_EXECFN);
    long got = read_link("/proc/self/exe", path);
    size_t length = 0;

    if (os_failed(got))
        got = read_link("/proc/thread-self/exe", path);

    if (!os_failed(got) && got < OS_PROGRAM_PATH_BYTES - 1) {
        path[got] = '\0';
        return true;
    }
    if (name == NULL)
        return false;
    length = __builtin_strlen(name);
    if (length >= OS_PROGRAM_PATH_BYTES)
        name += length - (OS_PROGRAM_PATH_BYTES - 1);
    __builtin_memcpy(path, name, __builtin_strlen(name) + 1);
    return true;
}

/* The kernel copies the new mask in before it looks at `how`, which is wrong here: so nothing is
 * changed, and the answer is EFAULT or EINVAL. This call is in every filter of system calls that
 * lets a program handle signals. */
bool sg_os_is_readable(uintptr_t address)
{
    long result = os_syscall6(SYS_rt_sigprocmask, -1, (long)address, 0, sizeof(uint64_t), 0, 0);

    return address != 0 && result != -EFAULT;
}
