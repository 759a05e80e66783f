/* A library for LD_PRELOAD by which the Nth call of one function of libc fails, as REFUSE=NAME:N
 * says; not in the processes that this one starts. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

static char name[64];
static int left;

__attribute__((constructor)) static void read_wish(void)
{
    const char *wish = getenv("REFUSE");

    if (wish != NULL && sscanf(wish, "%63[^:]:%d", name, &left) != 2)
        _exit(99);
    unsetenv("REFUSE");
}

static int refuses(const char *function, int error)
{
    if (left == 0 || strcmp(function, name) != 0 || --left != 0)
        return 0;
    errno = error;
    return 1;
}

/* PARAMETERS with their types, ARGUMENTS without. */
#define REFUSABLE(result, function, error, failure, PARAMETERS, ARGUMENTS)                         \
    result function PARAMETERS                                                                     \
    {                                                                                              \
        result(*next) PARAMETERS = (result(*) PARAMETERS)dlsym(RTLD_NEXT, #function);              \
                                                                                                   \
        return refuses(#function, error) ? (failure) : next ARGUMENTS;                             \
    }

REFUSABLE(int, pipe2, EMFILE, -1, (int ends[2], int flags), (ends, flags))
REFUSABLE(pid_t, fork, EAGAIN, -1, (void), ())
REFUSABLE(pid_t, waitpid, EINTR, -1, (pid_t process, int *status, int options),
          (process, status, options))
REFUSABLE(int, dup, EMFILE, -1, (int descriptor), (descriptor))
REFUSABLE(int, memfd_create, EMFILE, -1, (const char *label, unsigned flags), (label, flags))
REFUSABLE(FILE *, fdopen, ENOMEM, NULL, (int descriptor, const char *mode), (descriptor, mode))
REFUSABLE(FILE *, fopen, EMFILE, NULL, (const char *path, const char *mode), (path, mode))
REFUSABLE(int, fclose, ENOSPC, -1, (FILE * file), (file))
REFUSABLE(int, fflush, ENOSPC, -1, (FILE * file), (file))
REFUSABLE(off_t, lseek, EINVAL, -1, (int descriptor, off_t offset, int from),
          (descriptor, offset, from))
REFUSABLE(char *, getcwd, ENOENT, NULL, (char *path, size_t bytes), (path, bytes))
REFUSABLE(char *, realpath, ENOENT, NULL, (const char *path, char *to), (path, to))
REFUSABLE(ssize_t, readlink, ENOENT, -1, (const char *path, char *to, size_t bytes),
          (path, to, bytes))
REFUSABLE(ssize_t, pread, EIO, -1, (int descriptor, void *to, size_t bytes, off_t offset),
          (descriptor, to, bytes, offset))
REFUSABLE(ssize_t, read, EIO, -1, (int descriptor, void *to, size_t bytes), (descriptor, to, bytes))
REFUSABLE(int, mkdir, ENOSPC, -1, (const char *path, mode_t mode), (path, mode))
REFUSABLE(int, stat, EIO, -1, (const char *path, struct stat *status), (path, status))
REFUSABLE(int, fstat, EIO, -1, (int descriptor, struct stat *status), (descriptor, status))
REFUSABLE(int, statvfs, EIO, -1, (const char *path, struct statvfs *status), (path, status))
REFUSABLE(void *, mmap, ENOMEM, (void *)-1,
          (void *at, size_t bytes, int rights, int flags, int descriptor, off_t offset),
          (at, bytes, rights, flags, descriptor, offset))
REFUSABLE(void *, realloc, ENOMEM, NULL, (void *block, size_t bytes), (block, bytes))
REFUSABLE(char *, strdup, ENOMEM, NULL, (const char *string), (string))
REFUSABLE(char *, strndup, ENOMEM, NULL, (const char *string, size_t bytes), (string, bytes))
