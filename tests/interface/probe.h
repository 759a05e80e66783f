/* Looks at memory from inside the process: what can be accessed, how many mappings there are, what
 * malloc_info says. */
#ifndef SG_INTERFACE_PROBE_H
#define SG_INTERFACE_PROBE_H

#include "check.h"

#include <fcntl.h>
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>

enum { PROBE_READ, PROBE_WRITE };

static sigjmp_buf probe_back;

static inline void probe_fault(int signal_number)
{
    siglongjmp(probe_back, signal_number);
}

/* Whether the access faults; a write changes nothing. Not for threads. */
static inline bool faults(const volatile void *address, int how)
{
    struct sigaction mine = {.sa_handler = probe_fault}, before;
    volatile char *byte = (volatile char *)address;
    volatile bool faulted = true;

    sigaction(SIGSEGV, &mine, &before);
    if (sigsetjmp(probe_back, 1) == 0) {
        char value = *byte;

        if (how == PROBE_WRITE)
            *byte = value;
        faulted = false;
    }
    sigaction(SIGSEGV, &before, NULL);
    return faulted;
}

/* Bytes behind `from` that can be read, up to `most`. */
static inline size_t readable_bytes(const char *from, size_t most)
{
    size_t count = 0;

    while (count < most && !faults(from + count, PROBE_READ))
        count++;
    return count;
}

/* Lines of /proc/self/maps, read without the allocator. */
static inline long count_mappings(void)
{
    static char buffer[1 << 16];
    int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    long lines = 0;
    ssize_t got;

    while ((got = read(file, buffer, sizeof buffer)) > 0)
        for (ssize_t i = 0; i < got; i++)
            lines += buffer[i] == '\n';
    close(file);
    return lines;
}

/* The number in a small file of the kernel's, behind `name`; -1: not there. */
static inline long number_in(const char *path, const char *name)
{
    static char buffer[8192];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = file < 0 ? -1 : read(file, buffer, sizeof buffer - 1);

    close(file);
    if (got < 0)
        return -1;
    buffer[got] = '\0';
    const char *found = strstr(buffer, name);
    return found == NULL ? -1 : atol(found + strlen(name));
}

/* What malloc_info says about one thing; -1: nothing. */
static inline long figure(const char *name)
{
    static char buffer[8192];
    char element[64];
    FILE *stream = fmemopen(buffer, sizeof buffer, "w");

    if (stream == NULL)
        return -1;
    malloc_info(0, stream);
    fclose(stream);
    snprintf(element, sizeof element, "<%s>", name);
    const char *found = strstr(buffer, element);
    return found == NULL ? -1 : atol(found + strlen(element));
}

static inline bool is_filled(const char *block, size_t bytes, char with)
{
    return bytes == 0 || (block[0] == with && memcmp(block, block + 1, bytes - 1) == 0);
}

#endif
