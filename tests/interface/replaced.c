/* The throwing forms of new replaced by a program that has no C++ library: the nothrow forms call the
 * replaced one of their own kind ([new.delete]). */
#include "check.h"

#include <dlfcn.h>

typedef void *(*nothrow_form)(size_t bytes, const void *tag);
typedef void *(*nothrow_aligned_form)(size_t bytes, size_t alignment, const void *tag);

static char called; /* which of those below was */
static char object[64] __attribute__((aligned(64)));

static void *note(char which)
{
    called = which;
    return object;
}

void *_Znwm(size_t bytes)
{
    (void)bytes;
    return note('n');
}

void *_Znam(size_t bytes)
{
    (void)bytes;
    return note('a');
}

void *_ZnwmSt11align_val_t(size_t bytes, size_t alignment)
{
    (void)bytes, (void)alignment;
    return note('N');
}

void *_ZnamSt11align_val_t(size_t bytes, size_t alignment)
{
    (void)bytes, (void)alignment;
    return note('A');
}

static void expect_call(const char *name, char which)
{
    nothrow_form form = (nothrow_form)dlsym(RTLD_DEFAULT, name);

    if (form == NULL)
        SKIP("nobody has the nothrow forms");
    called = 0;
    EXPECT(form(opaque(16), "") == object);
    EXPECT_EQUAL(called, which);
}

static void expect_aligned_call(const char *name, char which)
{
    nothrow_aligned_form form = (nothrow_aligned_form)dlsym(RTLD_DEFAULT, name);

    if (form == NULL)
        SKIP("nobody has the nothrow forms");
    called = 0;
    EXPECT(form(opaque(16), 64, "") == object);
    EXPECT_EQUAL(called, which);
}

TEST(nothrow_new_calls_the_replaced_new)
{
    expect_call("_ZnwmRKSt9nothrow_t", 'n');
}

TEST(nothrow_new_of_arrays_calls_the_replaced_one)
{
    expect_call("_ZnamRKSt9nothrow_t", 'a');
}

TEST(nothrow_aligned_new_calls_the_replaced_one)
{
    expect_aligned_call("_ZnwmSt11align_val_tRKSt9nothrow_t", 'N');
}

TEST(nothrow_aligned_new_of_arrays_calls_the_replaced_one)
{
    expect_aligned_call("_ZnamSt11align_val_tRKSt9nothrow_t", 'A');
}
