#include "os_file.h"

#include "os_syscall.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

void sg_os_write(int descriptor, const char *text, size_t length)
{
    while (length > 0) {
        long written = os_syscall3(SYS_write, descriptor, (long)text, (long)length);

        if (written == -EINTR)
            continue;
        if (written <= 0)
            return;
        text += written;
        length -= (size_t)written;
    }
}

static_assert(OS_CURRENT_FOLDER == AT_FDCWD, "named without the header");

int sg_os_open(int folder, const char *path)
{
    const long flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    long result;

    do
        result = os_syscall3(SYS_openat, folder, (long)path, flags);
    while (result == -EINTR);
    if (result == -ENOENT || result == -ENOTDIR)
        return OS_ABSENT;
    return os_failed(result) ? OS_REFUSED : (int)result;
}

void sg_os_close(int descriptor)
{
    (void)os_syscall3(SYS_close, descriptor, 0, 0);
}

bool sg_os_file_facts(int descriptor, struct os_file_facts *ret_facts)
{
    struct stat status = {0}; /* as the kernel lays it out on the 64-bit machines we know */

    if (os_failed(os_syscall3(SYS_fstat, descriptor, (long)&status, 0)))
        return false;
    *ret_facts = (struct os_file_facts){
        .bytes = (uint64_t)status.st_size,
        .owner = status.st_uid,
        .is_regular = S_ISREG(status.st_mode),
        .is_folder = S_ISDIR(status.st_mode),
        .is_writable_by_others = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0,
    };
    return true;
}

bool sg_os_read(int descriptor, char *buffer, size_t bytes, size_t *ret_bytes)
{
    size_t length = 0;

    while (length < bytes) {
        long got =
            os_syscall3(SYS_read, descriptor, (long)(buffer + length), (long)(bytes - length));

        if (got == -EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    *ret_bytes = length;
    return true;
}

bool sg_os_program_path(struct os_path *ret_path)
{
    long length = os_syscall6(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe",
                              (long)ret_path->bytes, OS_PATH_BYTES - 1, 0, 0);

    if (length <= 0)
        return false;
    ret_path->bytes[length] = '\0';
    return true;
}

/* One entry of what getdents64 fills a buffer with. */
struct entry {
    uint64_t inode;
    int64_t next;
    uint16_t bytes;
    uint8_t type;
    char name[];
};

#define ENTRIES_BYTES 1024

struct entries {
    alignas(8) char bytes[ENTRIES_BYTES];
};

static bool has_ending(const char *name, const char *ending)
{
    size_t length = __builtin_strlen(name);
    size_t ending_length = __builtin_strlen(ending);

    return length > ending_length && __builtin_strcmp(name + length - ending_length, ending) == 0;
}

/* Whether `name` lies behind `after` and before the best that was found, if any was. */
static bool is_better(const char *name, const char *after, const struct os_name *best)
{
    if (name[0] == '.' || __builtin_strlen(name) >= OS_NAME_BYTES)
        return false;
    return __builtin_strcmp(name, after) > 0 &&
           (best->bytes[0] == '\0' || __builtin_strcmp(name, best->bytes) < 0);
}

static void keep(struct os_name *to, const char *name)
{
    __builtin_memcpy(to->bytes, name, __builtin_strlen(name) + 1);
}

bool sg_os_next_name(int folder, const char *ending, struct os_name *name)
{
    struct os_name best;
    struct entries entries = {{0}};
    long length;

    best.bytes[0] = '\0';
    (void)os_syscall3(SYS_lseek, folder, 0, SEEK_SET);
    while ((length = os_syscall3(SYS_getdents64, folder, (long)entries.bytes, ENTRIES_BYTES)) > 0)
        for (long at = 0; at < length;) {
            const struct entry *entry = (const struct entry *)(const void *)&entries.bytes[at];

            if (has_ending(entry->name, ending) && is_better(entry->name, name->bytes, &best))
                keep(&best, entry->name);
            at += entry->bytes;
        }
    if (best.bytes[0] == '\0')
        return false;
    keep(name, best.bytes);
    return true;
}
