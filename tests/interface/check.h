/* A topic is one C or C++ file of TEST()s; each becomes a line of TAP. `prog K` starts at test K:
 * the runner goes on there when test K-1 took the program down. `prog NAME` runs one test.
 * Output leaves by write(2), so the harness never enters the allocator that it tests. */
#ifndef SG_INTERFACE_CHECK_H
#define SG_INTERFACE_CHECK_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHECK_MOST = 64, CHECK_NOTES_MOST = 6 };
static struct {
    const char *name;
    void (*run)(void);
} checks[CHECK_MOST];
static int check_count, check_failures;
static const char *check_skipped;

__attribute__((format(printf, 1, 2))) static inline void check_say(const char *format, ...)
{
    char line[512];
    va_list values;

    va_start(values, format);
    int length = vsnprintf(line, sizeof line, format, values);
    va_end(values);
    if (length >= (int)sizeof line)
        length = sizeof line - 1;
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        _exit(99);
}

static inline bool check_expect(bool held, const char *file, int line, const char *what)
{
    if (!held && ++check_failures <= CHECK_NOTES_MOST)
        check_say("# %s:%d: expected %s\n", strrchr(file, '/') ? strrchr(file, '/') + 1 : file,
                  line, what);
    return held;
}

static inline bool check_equal(long long is, long long should, const char *file, int line,
                               const char *what)
{
    if (is != should && check_failures < CHECK_NOTES_MOST)
        check_say("# %s is %lld and should be %lld\n", what, is, should);
    return check_expect(is == should, file, line, what);
}

/* A value whose origin the compiler may not use. */
static inline size_t opaque(size_t value)
{
    __asm__ volatile("" : "+r"(value));
    return value;
}

static inline bool under_preload(void)
{
    return getenv("CHECK_PRELOAD") != NULL;
}

#define EXPECT(condition) check_expect((condition), __FILE__, __LINE__, #condition)
#define EXPECT_EQUAL(is, should)                                                                   \
    check_equal((long long)(is), (long long)(should), __FILE__, __LINE__, #is)
#define SKIP(reason)                                                                               \
    do {                                                                                           \
        check_skipped = (reason);                                                                  \
        return;                                                                                    \
    } while (0)
/* For the rows of the contract where spanguard means to differ from glibc. */
#define NOT_OVER_GLIBC()                                                                           \
    do {                                                                                           \
        if (!under_preload())                                                                      \
            SKIP("glibc differs here");                                                            \
    } while (0)
#define TEST(name_)                                                                                \
    static void name_(void);                                                                       \
    __attribute__((constructor)) static void register_##name_(void)                                \
    {                                                                                              \
        if (check_count == CHECK_MOST)                                                             \
            abort();                                                                               \
        checks[check_count].name = #name_;                                                         \
        checks[check_count++].run = name_;                                                         \
    }                                                                                              \
    static void name_(void)

static inline bool check_run(int index)
{
    check_failures = 0;
    check_skipped = NULL;
    check_say("# running %s\n", checks[index].name);
    checks[index].run();
    check_say("%sok - %s%s%s\n", check_failures ? "not " : "", checks[index].name,
              check_skipped ? " # SKIP " : "", check_skipped ? check_skipped : "");
    return check_failures == 0;
}

int main(int argc, char **argv)
{
    const char *asked = argc > 1 ? argv[1] : "0";
    bool by_name = *asked < '0' || *asked > '9', good = true;

    check_say("1..%d\n", check_count);
    for (int i = by_name ? 0 : atoi(asked); i < check_count; i++)
        if (!by_name || strcmp(asked, checks[i].name) == 0)
            good &= check_run(i);
    return good ? 0 : 1;
}

#endif
