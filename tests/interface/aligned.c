/* Alignment: 16 always, what was asked for where it was asked, EINVAL for what makes no sense. */
#include "check.h"

#include <malloc.h>

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static void expect_aligned(void *block, size_t alignment, size_t bytes)
{
    if (!EXPECT(block != NULL) || !EXPECT_EQUAL((uintptr_t)block % alignment, 0))
        return;
    EXPECT(malloc_usable_size(block) >= bytes);
    memset(block, 0x77, bytes);
}

TEST(every_size_is_aligned_to_16)
{
    void *blocks[3];

    for (size_t bytes = 1; bytes <= 5000; bytes++) {
        blocks[0] = malloc(bytes);
        blocks[1] = calloc(1, bytes);
        blocks[2] = realloc(malloc(1), bytes);
        for (int i = 0; i < 3; i++) {
            expect_aligned(blocks[i], 16, bytes);
            free(blocks[i]);
        }
    }
}

TEST(large_blocks_are_aligned_to_16)
{
    for (size_t bytes = 200000; bytes < 3000000; bytes += 77777) {
        void *block = malloc(bytes);

        expect_aligned(block, 16, bytes);
        free(block);
    }
}

TEST(small_alignments_hold_for_every_interface)
{
    for (size_t alignment = 8; alignment <= 2048; alignment *= 2) {
        for (size_t bytes = 1; bytes < 9000; bytes += bytes / 3 + 1) {
            void *third = NULL;
            void *first = aligned_alloc(alignment, bytes), *second = memalign(alignment, bytes);

            EXPECT_EQUAL(posix_memalign(&third, alignment, bytes), 0);
            expect_aligned(first, alignment, bytes);
            expect_aligned(second, alignment, bytes);
            expect_aligned(third, alignment, bytes);
            free(first);
            free(second);
            free(third);
        }
    }
}

TEST(alignments_from_4_KiB_to_16_MiB_hold_for_many_sizes)
{
    static const size_t sizes[] = {1, 100, 4096, 8193, 70000, 262145, 3 << 20};
    void *blocks[7];

    for (size_t alignment = 4096; alignment <= 16 << 20; alignment *= 2) {
        for (int i = 0; i < 7; i++) {
            blocks[i] = i % 2 ? memalign(alignment, sizes[i]) : aligned_alloc(alignment, sizes[i]);
            expect_aligned(blocks[i], alignment, sizes[i]);
        }
        for (int i = 0; i < 7; i++)
            free(blocks[i]);
    }
}

TEST(aligned_alloc_takes_a_size_that_is_no_multiple_of_the_alignment)
{
    void *block = aligned_alloc(64, opaque(10));

    expect_aligned(block, 64, 10);
    free(block);
}

TEST(aligned_alloc_with_an_alignment_that_is_no_power_of_two_is_EINVAL)
{
    static const size_t wrong[] = {0, 3, 24, 48, 4095};

    NOT_OVER_GLIBC();
    for (int i = 0; i < 5; i++) {
        errno = 0;
        EXPECT(aligned_alloc(opaque(wrong[i]), 96) == NULL);
        EXPECT_EQUAL(errno, EINVAL);
    }
}

TEST(posix_memalign_with_a_wrong_alignment_is_EINVAL_and_leaves_the_pointer_alone)
{
    static const size_t wrong[] = {0, 1, 2, 4, 12, 24, 48, 100, 4097};
    void *untouched = &untouched;

    for (int i = 0; i < 9; i++) {
        void *block = untouched;

        errno = 77;
        EXPECT_EQUAL(posix_memalign(&block, opaque(wrong[i]), 64), EINVAL);
        EXPECT(block == untouched);
        EXPECT_EQUAL(errno, 77);
    }
}

TEST(memalign_rounds_an_alignment_up_to_a_power_of_two)
{
    static const size_t asked[] = {0, 1, 3, 17, 48, 100, 5000},
                        given[] = {16, 16, 16, 32, 64, 128, 8192};

    for (int i = 0; i < 7; i++) {
        for (int times = 0; times < 50; times++) {
            void *block = memalign(opaque(asked[i]), 200);

            expect_aligned(block, given[i], 200);
            free(block);
        }
    }
}

TEST(memalign_with_an_alignment_above_half_the_address_space_is_EINVAL)
{
    errno = 0;
    EXPECT(memalign(opaque(SIZE_MAX / 2 + 2), 16) == NULL);
    EXPECT_EQUAL(errno, EINVAL);
}

TEST(valloc_is_aligned_to_a_page)
{
    for (size_t bytes = 1; bytes < 600000; bytes += bytes / 2 + 1) {
        void *block = valloc(bytes);

        expect_aligned(block, page_bytes(), bytes);
        free(block);
    }
}

TEST(pvalloc_is_aligned_to_a_page_and_rounds_the_size_up_to_pages)
{
    for (size_t bytes = 1; bytes < 600000; bytes += bytes / 2 + 1) {
        void *block = pvalloc(bytes);
        size_t whole = (bytes + page_bytes() - 1) / page_bytes() * page_bytes();

        expect_aligned(block, page_bytes(), whole);
        free(block);
    }
}

/* pvalloc(0) on glibc rounds to nothing and gives a minimal block. */
TEST(pvalloc_of_zero_bytes_is_one_page)
{
    void *block = pvalloc(opaque(0));

    if (EXPECT(block != NULL) && under_preload())
        expect_aligned(block, page_bytes(), page_bytes());
    free(block);
}

TEST(aligned_blocks_can_be_reallocated)
{
    for (size_t alignment = 32; alignment <= 1 << 20; alignment *= 8) {
        char *block = aligned_alloc(alignment, 100);
        int wrong = 0;

        memset(block, 0x42, 100);
        block = realloc(block, 100000);
        for (int i = 0; i < 100; i++)
            wrong += block[i] != 0x42;
        EXPECT_EQUAL(wrong, 0);
        block = realloc(block, 10);
        EXPECT(block != NULL && block[9] == 0x42);
        free(block);
    }
}

TEST(aligned_blocks_do_not_overlap_their_neighbours)
{
    enum { COUNT = 300 };
    static unsigned char *blocks[COUNT];
    int wrong = 0;

    for (int i = 0; i < COUNT; i++) {
        size_t bytes = (size_t)(i * 37 % 3000 + 1);

        blocks[i] = memalign((size_t)16 << i % 9, bytes);
        memset(blocks[i], i & 0xff, malloc_usable_size(blocks[i]));
    }
    for (int i = 0; i < COUNT; i++) {
        for (size_t byte = 0; byte < malloc_usable_size(blocks[i]); byte++)
            wrong += blocks[i][byte] != (i & 0xff);
        free(blocks[i]);
    }
    EXPECT_EQUAL(wrong, 0);
}
