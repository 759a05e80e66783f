/* A program that replaces one operator, REPLACED, and no other: the library's other operators look
 * at each of them, and no longer judge what sizes are stated. */
#include "test.h"

#include <stdlib.h>

#define EXPORTED __attribute__((visibility("default")))

/* The operators, by what they are. */
#define PLAIN_NEW 1
#define ARRAY_NEW 2
#define ALIGNED_NEW 3
#define ALIGNED_ARRAY_NEW 4
#define PLAIN_DELETE 5
#define ARRAY_DELETE 6
#define ALIGNED_DELETE 7
#define ALIGNED_ARRAY_DELETE 8

EXPORTED void *_Znwm(size_t bytes);
EXPORTED void *_Znam(size_t bytes);
EXPORTED void *_ZnwmSt11align_val_t(size_t bytes, size_t alignment);
EXPORTED void *_ZnamSt11align_val_t(size_t bytes, size_t alignment);
EXPORTED void _ZdlPv(void *object);
EXPORTED void _ZdaPv(void *object);
EXPORTED void _ZdlPvSt11align_val_t(void *object, size_t alignment);
EXPORTED void _ZdaPvSt11align_val_t(void *object, size_t alignment);
void _ZdlPvm(void *object, size_t bytes);
void _ZdlPvmSt11align_val_t(void *object, size_t bytes, size_t alignment);

#if REPLACED == PLAIN_NEW
void *_Znwm(size_t bytes)
{
    return malloc(bytes);
}
#elif REPLACED == ARRAY_NEW
void *_Znam(size_t bytes)
{
    return malloc(bytes);
}
#elif REPLACED == ALIGNED_NEW
void *_ZnwmSt11align_val_t(size_t bytes, size_t alignment)
{
    return aligned_alloc(alignment, bytes);
}
#elif REPLACED == ALIGNED_ARRAY_NEW
void *_ZnamSt11align_val_t(size_t bytes, size_t alignment)
{
    return aligned_alloc(alignment, bytes);
}
#elif REPLACED == PLAIN_DELETE
void _ZdlPv(void *object)
{
    free(object);
}
#elif REPLACED == ARRAY_DELETE
void _ZdaPv(void *object)
{
    free(object);
}
#elif REPLACED == ALIGNED_DELETE
void _ZdlPvSt11align_val_t(void *object, size_t alignment)
{
    (void)alignment;
    free(object);
}
#elif REPLACED == ALIGNED_ARRAY_DELETE
void _ZdaPvSt11align_val_t(void *object, size_t alignment)
{
    (void)alignment;
    free(object);
}
#endif

/* With operators that are the library's, whichever one is replaced. */
static void state_a_wrong_size(void)
{
    if (REPLACED == PLAIN_NEW || REPLACED == PLAIN_DELETE)
        _ZdlPvmSt11align_val_t(_ZnwmSt11align_val_t(64, 64), 32, 64);
    else
        _ZdlPvm(_Znwm(100), 50);
    _Exit(7);
}

#if REPLACED == 0
TEST(a_wrong_size_is_reported_where_all_operators_are_the_librarys)
{
    EXPECT(test_dies_saying(state_a_wrong_size, "P402 size mismatch: operator delete: size 50 "));
}
#else
TEST(a_wrong_size_passes_where_one_operator_is_the_programs)
{
    EXPECT_EQUAL(test_status_of(state_a_wrong_size), 7);
}
#endif
