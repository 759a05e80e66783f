/* TAP from a program whose heap may be exhausted: formatted on the stack, left by write(2).
 * The runner numbers the lines of all programs anew. */
#ifndef SG_MEMORY_TAP_H
#define SG_MEMORY_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "which_malloc.h"

static int tap_count, tap_failures;

static inline void tap_write(const char *before, const char *format, va_list values)
{
    char line[400];
    int length = snprintf(line, sizeof line, "%s", before);

    length += vsnprintf(line + length, sizeof line - (size_t)length - 1, format, values);
    if (length > (int)sizeof line - 2)
        length = (int)sizeof line - 2;
    line[length++] = '\n';
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        _exit(99);
}

__attribute__((format(printf, 1, 2))) static inline void tap_note(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    tap_write("# ", format, values);
    va_end(values);
}

__attribute__((format(printf, 2, 3))) static inline bool tap_ok(bool passed, const char *format,
                                                                ...)
{
    va_list values;

    va_start(values, format);
    tap_write(passed ? "ok - " : "not ok - ", format, values);
    va_end(values);
    tap_count++;
    tap_failures += !passed;
    return passed;
}

/* The runner compares this with the library it preloaded. */
static inline void tap_begin(void)
{
    tap_note("malloc from %s", which_malloc());
}

static inline void tap_skip(const char *name, const char *reason)
{
    tap_ok(true, "%s # SKIP %s", name, reason);
}

static inline int tap_finish(void)
{
    char plan[32];
    int length = snprintf(plan, sizeof plan, "1..%d\n", tap_count);

    if (write(STDOUT_FILENO, plan, (size_t)length) != length)
        return 99;
    return tap_failures != 0;
}

#endif
