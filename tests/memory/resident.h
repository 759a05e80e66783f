/* The resident set of this process, read without the heap. */
#ifndef SG_MEMORY_RESIDENT_H
#define SG_MEMORY_RESIDENT_H

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* Reads at most `bytes` - 1 of a file and ends them with a null; empty if it cannot be read. */
static inline void read_text(const char *path, char *text, size_t bytes)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, bytes - 1);

    text[length < 0 ? 0 : length] = '\0';
    if (file >= 0)
        close(file);
}

/* smaps_rollup walks the page tables and is exact. The counters behind statm are per CPU from
 * Linux 6.2 on and may lag by dozens of pages each; they are the fallback. */
static inline size_t resident_bytes(void)
{
    char text[2048];
    const char *field;

    read_text("/proc/self/smaps_rollup", text, sizeof text);
    field = strstr(text, "\nRss:");
    if (field != NULL)
        return strtoull(field + 5, NULL, 10) * KIB;
    read_text("/proc/self/statm", text, sizeof text);
    field = strchr(text, ' ');
    return field == NULL ? 0 : strtoull(field, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static inline long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void sleep_ms(long ms)
{
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

#endif
