/* A program that replaces the plain operators new and delete, and no other: all others then behave
 * as if they called those ([new.delete]). There is no C++ library here to do it for us. */
#include "test.h"

#include <stdlib.h>

#define EXPORTED __attribute__((visibility("default")))

struct nothrow;

/* Ours, in place of the library's. */
EXPORTED void *_Znwm(size_t bytes);
EXPORTED void *_ZnwmSt11align_val_t(size_t bytes, size_t alignment);
EXPORTED void _ZdlPv(void *object);
EXPORTED void _ZdlPvSt11align_val_t(void *object, size_t alignment);

/* The library's. */
void *_Znam(size_t bytes);
void *_ZnamSt11align_val_t(size_t bytes, size_t alignment);
void *_ZnwmRKSt9nothrow_t(size_t bytes, const struct nothrow *tag);
void *_ZnamRKSt9nothrow_t(size_t bytes, const struct nothrow *tag);
void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t bytes, size_t alignment, const struct nothrow *tag);
void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t bytes, size_t alignment, const struct nothrow *tag);
void _ZdaPv(void *object);
void _ZdaPvSt11align_val_t(void *object, size_t alignment);
void _ZdlPvm(void *object, size_t bytes);
void _ZdaPvm(void *object, size_t bytes);
void _ZdlPvmSt11align_val_t(void *object, size_t bytes, size_t alignment);
void _ZdaPvmSt11align_val_t(void *object, size_t bytes, size_t alignment);

static unsigned made, made_aligned, ended, ended_aligned;

void *_Znwm(size_t bytes)
{
    made++;
    return malloc(bytes);
}

void *_ZnwmSt11align_val_t(size_t bytes, size_t alignment)
{
    made_aligned++;
    return aligned_alloc(alignment, bytes);
}

void _ZdlPv(void *object)
{
    ended++;
    free(object);
}

void _ZdlPvSt11align_val_t(void *object, size_t alignment)
{
    (void)alignment;
    ended_aligned++;
    free(object);
}

static void forget(void)
{
    made = made_aligned = ended = ended_aligned = 0;
}

TEST(an_array_comes_from_the_programs_new)
{
    forget();
    void *block = _Znam(10);
    EXPECT(block != NULL && made == 1);
    _ZdaPv(block);
    EXPECT_EQUAL(ended, 1);
    _ZdaPvm(_Znam(10), 10);
    EXPECT(made == 2 && ended == 2);
    _ZdlPvm(_Znwm(10), 10);
    EXPECT(made == 3 && ended == 3);
}

TEST(an_aligned_one_from_its_aligned_new)
{
    forget();
    void *block = _ZnamSt11align_val_t(64, 64);
    EXPECT(block != NULL && made_aligned == 1 && made == 0);
    _ZdaPvSt11align_val_t(block, 64);
    EXPECT(ended_aligned == 1 && ended == 0);
    _ZdaPvmSt11align_val_t(_ZnamSt11align_val_t(64, 64), 64, 64);
    _ZdlPvmSt11align_val_t(_ZnwmSt11align_val_t(64, 64), 64, 64);
    EXPECT(made_aligned == 3 && ended_aligned == 3 && made == 0 && ended == 0);
}

TEST(what_does_not_throw_too)
{
    forget();
    _ZdlPv(_ZnwmRKSt9nothrow_t(10, NULL));
    _ZdlPv(_ZnamRKSt9nothrow_t(10, NULL));
    EXPECT(made == 2 && ended == 2);
    _ZdlPvSt11align_val_t(_ZnwmSt11align_val_tRKSt9nothrow_t(64, 64, NULL), 64);
    _ZdlPvSt11align_val_t(_ZnamSt11align_val_tRKSt9nothrow_t(64, 64, NULL), 64);
    EXPECT(made_aligned == 2 && ended_aligned == 2);
}
