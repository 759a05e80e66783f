/* Nanoseconds of one memcpy of 8, 64 and 1,024 bytes and one strcpy of 15, from one heap block to
 * another, called through the procedure linkage as any program calls them. One line each: name,
 * median of the chunks; before them, which object serves memcpy. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "which_malloc.h"

enum { CHUNKS = 11, CALLS = 100000, MOST_BYTES = 1024, TEXT_BYTES = 15 };

static double run_memcpy(char *target, const char *source, size_t bytes);
static double run_strcpy(char *target, const char *source, size_t bytes);

static const struct {
    const char *name;
    double (*run)(char *target, const char *source, size_t bytes);
    size_t bytes;
} rows[] = {
    {"memcpy-8", run_memcpy, 8},
    {"memcpy-64", run_memcpy, 64},
    {"memcpy-1024", run_memcpy, 1024},
    {"strcpy-15", run_strcpy, TEXT_BYTES},
};

static double cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Through a volatile pointer, or the compiler would copy by itself. */
static double run_memcpy(char *target, const char *source, size_t bytes)
{
    void *(*volatile copy)(void *, const void *, size_t) = memcpy;
    double start = cpu_ns();

    for (int i = 0; i < CALLS; i++)
        copy(target, source, bytes);
    return (cpu_ns() - start) / CALLS;
}

static double run_strcpy(char *target, const char *source, size_t bytes)
{
    char *(*volatile copy)(char *, const char *) = strcpy;
    double start = cpu_ns();

    (void)bytes;
    for (int i = 0; i < CALLS; i++)
        copy(target, source);
    return (cpu_ns() - start) / CALLS;
}

static int compare_ns(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

int main(void)
{
    char *source = calloc(1, MOST_BYTES), *target = calloc(1, MOST_BYTES);

    if (source == NULL || target == NULL)
        return 2;
    memset(source, 'x', TEXT_BYTES);
    printf("# malloc from %s\n# memcpy from %s\n", which_malloc(), which_object("memcpy"));
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        double ns[CHUNKS];

        for (int i = 0; i < CHUNKS; i++)
            ns[i] = rows[row].run(target, source, rows[row].bytes);
        qsort(ns, CHUNKS, sizeof ns[0], compare_ns);
        printf("%s\t%.3f\n", rows[row].name, ns[CHUNKS / 2]);
    }
    free(source);
    free(target);
    return 0;
}
