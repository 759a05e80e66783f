/* Sixty lines instead of a framework: a test of an allocator must control its first allocation.
 * Speaks TAP. A file without a test fails. */
#ifndef SG_UNIT_TEST_H
#define SG_UNIT_TEST_H

#include <stdbool.h>
#include <stdio.h>

struct test {
    const char *name;
    void (*run)(void);
    struct test *next;
};

void test_register(struct test *test);
void test_failed(const char *file, int line, const char *expectation);

#define TEST(name_)                                                                                \
    static void name_(void);                                                                       \
    static struct test test_##name_ = {.name = #name_, .run = name_};                              \
    static __attribute__((constructor)) void register_##name_(void)                                \
    {                                                                                              \
        test_register(&test_##name_);                                                              \
    }                                                                                              \
    static void name_(void)

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            test_failed(__FILE__, __LINE__, #condition);                                           \
    } while (0)

#define EXPECT_EQUAL(actual, expected)                                                             \
    do {                                                                                           \
        unsigned long long actual_ = (unsigned long long)(actual);                                 \
        unsigned long long expected_ = (unsigned long long)(expected);                             \
        if (actual_ != expected_) {                                                                \
            printf("# %s is %llu, expected %llu\n", #actual, actual_, expected_);                  \
            test_failed(__FILE__, __LINE__, #actual " == " #expected);                             \
        }                                                                                          \
    } while (0)

/* Runs `body` in a child; true if it ended by a signal after writing `line` to stderr. */
bool test_dies_saying(void (*body)(void), const char *line);

/* The status with which `body` leaves a child; -1 if a signal ends it. */
int test_status_of(void (*body)(void));

#endif
