/* A request that cannot be met: NULL, ENOMEM, and nothing else changed. */
#include "check.h"

#include <malloc.h>

static const size_t impossible[] = {
    SIZE_MAX,
    SIZE_MAX - 1,
    SIZE_MAX - 15,
    SIZE_MAX - 63,
    SIZE_MAX - 4095,
    SIZE_MAX - 8191,
    SIZE_MAX - (1 << 20),
    SIZE_MAX / 2 + 4096,
    (size_t)PTRDIFF_MAX + 1,
    PTRDIFF_MAX,
    (size_t)PTRDIFF_MAX - 8191,
    (size_t)1 << 62,
    (size_t)1 << 48,
};

#define FOR_EACH_IMPOSSIBLE(bytes)                                                                 \
    for (size_t i = 0, bytes; i < sizeof impossible / sizeof *impossible; i++)                     \
        if ((bytes = opaque(impossible[i])) != 0)

#define EXPECT_NO_MEMORY(call)                                                                     \
    do {                                                                                           \
        errno = 0;                                                                                 \
        EXPECT((call) == NULL);                                                                    \
        EXPECT_EQUAL(errno, ENOMEM);                                                               \
    } while (0)

TEST(malloc_of_an_impossible_size_is_ENOMEM)
{
    FOR_EACH_IMPOSSIBLE(bytes)
        EXPECT_NO_MEMORY(malloc(bytes));
}

TEST(calloc_of_an_impossible_size_is_ENOMEM)
{
    FOR_EACH_IMPOSSIBLE(bytes) {
        EXPECT_NO_MEMORY(calloc(1, bytes));
        EXPECT_NO_MEMORY(calloc(bytes, 1));
    }
}

TEST(calloc_whose_product_wraps_to_something_small_is_ENOMEM)
{
    size_t half = opaque((size_t)1 << 32);

    EXPECT_NO_MEMORY(calloc(half, half));
    EXPECT_NO_MEMORY(calloc(half, half + 1));
    EXPECT_NO_MEMORY(calloc(opaque(SIZE_MAX / 2 + 1), 2));
    EXPECT_NO_MEMORY(calloc(opaque(SIZE_MAX / 16 + 2), 16));
    EXPECT_NO_MEMORY(calloc(3, opaque(SIZE_MAX / 3 + 9)));
}

TEST(realloc_to_an_impossible_size_is_ENOMEM_and_leaves_the_block_intact)
{
    static const size_t olds[] = {1, 24, 1000, 70000, 300000, 5 << 20};

    for (size_t old = 0; old < sizeof olds / sizeof *olds; old++) {
        unsigned char *block = malloc(olds[old]);
        size_t wrong = 0;

        memset(block, 0x5a, olds[old]);
        FOR_EACH_IMPOSSIBLE(bytes)
            EXPECT_NO_MEMORY(realloc(block, bytes));
        for (size_t byte = 0; byte < olds[old]; byte++)
            wrong += block[byte] != 0x5a;
        EXPECT_EQUAL(wrong, 0);
        free(block);
    }
}

TEST(realloc_of_NULL_to_an_impossible_size_is_ENOMEM)
{
    FOR_EACH_IMPOSSIBLE(bytes)
        EXPECT_NO_MEMORY(realloc(NULL, bytes));
}

TEST(reallocarray_that_overflows_is_ENOMEM_and_leaves_the_block_intact)
{
    size_t half = opaque((size_t)1 << 32);
    char *volatile block = malloc(40);

    strcpy(block, "still the same text");
    EXPECT_NO_MEMORY(reallocarray(block, half, half));
    EXPECT_NO_MEMORY(reallocarray(block, half, half + 1));
    EXPECT_NO_MEMORY(reallocarray(block, opaque(SIZE_MAX / 16 + 2), 16));
    EXPECT_NO_MEMORY(reallocarray(NULL, half, half + 1));
    FOR_EACH_IMPOSSIBLE(bytes)
        EXPECT_NO_MEMORY(reallocarray(block, 1, bytes));
    EXPECT(strcmp(block, "still the same text") == 0);
    free(block);
}

TEST(aligned_requests_of_an_impossible_size_are_ENOMEM)
{
    static const size_t alignments[] = {16, 64, 4096, 1 << 20};

    for (size_t a = 0; a < 4; a++) {
        FOR_EACH_IMPOSSIBLE(bytes) {
            EXPECT_NO_MEMORY(aligned_alloc(alignments[a], bytes));
            EXPECT_NO_MEMORY(memalign(alignments[a], bytes));
        }
    }
}

TEST(an_impossible_alignment_is_ENOMEM)
{
    EXPECT_NO_MEMORY(memalign(opaque((size_t)1 << 62), 16));
    EXPECT_NO_MEMORY(aligned_alloc(opaque((size_t)1 << 62), 16));
    EXPECT_NO_MEMORY(memalign(opaque((size_t)1 << 62), opaque((size_t)1 << 62)));
}

TEST(page_aligned_requests_of_an_impossible_size_are_ENOMEM)
{
    FOR_EACH_IMPOSSIBLE(bytes) {
        EXPECT_NO_MEMORY(valloc(bytes));
        EXPECT_NO_MEMORY(pvalloc(bytes));
    }
}

TEST(posix_memalign_returns_ENOMEM_and_touches_neither_errno_nor_the_pointer)
{
    void *untouched = &untouched;

    FOR_EACH_IMPOSSIBLE(bytes) {
        void *block = untouched;

        errno = 77;
        EXPECT_EQUAL(posix_memalign(&block, 64, bytes), ENOMEM);
        if (under_preload()) /* glibc leaves ENOMEM there as well */
            EXPECT_EQUAL(errno, 77);
        EXPECT(block == untouched);
    }
}

TEST(the_heap_still_works_after_every_failure)
{
    void *blocks[64];

    FOR_EACH_IMPOSSIBLE(bytes)
        EXPECT_NO_MEMORY(malloc(bytes));
    for (size_t i = 0; i < 64; i++)
        EXPECT((blocks[i] = malloc(opaque(i * 1000 + 1))) != NULL);
    for (size_t i = 0; i < 64; i++)
        free(blocks[i]);
}

static void expect_errno_kept(size_t bytes)
{
    char *block = malloc(bytes);

    if (!EXPECT(block != NULL))
        return;
    memset(block, 1, bytes);
    errno = 1234;
    free(block);
    EXPECT_EQUAL(errno, 1234);
}

TEST(free_keeps_errno)
{
    static const size_t sizes[] = {0, 1, 100, 5000, 200000, 262144, 262145, 4 << 20, 64 << 20};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        expect_errno_kept(opaque(sizes[i]));
    errno = 1234;
    free(NULL);
    EXPECT_EQUAL(errno, 1234);
}

TEST(free_keeps_errno_while_much_memory_goes_back)
{
    enum { COUNT = 2000 };
    static char *blocks[COUNT];

    for (int i = 0; i < COUNT; i++) {
        blocks[i] = malloc(16000);
        memset(blocks[i], 1, 16000);
    }
    for (int i = 0; i < COUNT; i++) {
        errno = 1234;
        free(blocks[i]);
        EXPECT_EQUAL(errno, 1234);
        if (i % 256 == 0)
            malloc_trim(0);
    }
    malloc_trim(0);
    expect_errno_kept(100);
    expect_errno_kept(8 << 20);
}
