#include "os_tasks.h"

#include "os_file.h"
#include "os_syscall.h"

#include <unistd.h>

#define ENTRIES_BYTES 2048
#define STAT_BYTES 128 /* the state stands behind the name, which has at most 64 */

/* One entry of what getdents64 fills a buffer with. */
struct task_entry {
    uint64_t inode;
    int64_t next;
    uint16_t bytes;
    uint8_t type;
    char name[];
};

int sg_os_tasks_open(void)
{
    return sg_os_open(OS_NO_FOLDER, "/proc/self/task");
}

static int number_of(const char *name)
{
    int number = 0;

    for (; *name >= '0' && *name <= '9' && number < 100000000; name++)
        number = number * 10 + (*name - '0');
    return number;
}

bool sg_os_tasks_each(int tasks, bool (*visit)(int id, void *context), void *context)
{
    alignas(8) char entries[ENTRIES_BYTES] = {0};
    long length;

    if (os_failed(os_syscall3(SYS_lseek, tasks, 0, SEEK_SET)))
        return false;
    while ((length = os_syscall3(SYS_getdents64, tasks, (long)entries, ENTRIES_BYTES)) > 0)
        for (long at = 0; at < length;) {
            const struct task_entry *entry = (const struct task_entry *)(const void *)&entries[at];
            int id = number_of(entry->name);

            if (id != 0 && !visit(id, context))
                return false;
            at += entry->bytes;
        }
    return length == 0;
}

/* ID (NAME) STATE ...; the name may hold any character. */
bool sg_os_task_is_dead(int tasks, int id)
{
    char path[32], text[STAT_BYTES];
    size_t length = 0, at = sizeof(path) - 6;
    int file;

    __builtin_memcpy(&path[at], "/stat", 6);
    do
        path[--at] = (char)('0' + id % 10);
    while ((id /= 10) != 0);
    file = sg_os_open(tasks, &path[at]);
    if (file < 0)
        return file == OS_ABSENT;
    if (!sg_os_read(file, text, sizeof(text), &length))
        length = 0;
    sg_os_close(file);
    while (length > 2 && text[length - 3] != ')')
        length--;
    return length > 2 && (text[length - 1] == 'Z' || text[length - 1] == 'X');
}
