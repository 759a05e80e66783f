/* Zero bytes: malloc(0) is a distinct block that may not be touched; realloc(p, 0) frees. */
#include "check.h"
#include "child.h"

#include <malloc.h>
#include <signal.h>

enum { COUNT = 1000 };

static int by_address(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;

    return (*a > *b) - (*a < *b);
}

/* Neither NULL nor twice the same, and each can be freed. */
static void expect_distinct(void **blocks)
{
    int bad = 0;

    qsort(blocks, COUNT, sizeof *blocks, by_address);
    bad += blocks[0] == NULL;
    for (int i = 1; i < COUNT; i++)
        bad += blocks[i] == blocks[i - 1];
    EXPECT_EQUAL(bad, 0);
    for (int i = 0; i < COUNT; i++)
        free(blocks[i]);
}

TEST(malloc_of_zero_bytes_gives_distinct_blocks)
{
    static void *blocks[COUNT];

    for (int i = 0; i < COUNT; i++)
        blocks[i] = malloc(opaque(0));
    expect_distinct(blocks);
}

TEST(calloc_and_realloc_of_zero_bytes_give_distinct_blocks)
{
    static void *blocks[COUNT];

    for (int i = 0; i < COUNT; i++)
        blocks[i] = i % 3 == 0   ? calloc(opaque(0), 8)
                    : i % 3 == 1 ? calloc(8, opaque(0))
                                 : realloc(NULL, opaque(0));
    expect_distinct(blocks);
}

TEST(aligned_requests_of_zero_bytes_give_distinct_aligned_blocks)
{
    static void *blocks[COUNT];
    int unaligned = 0;

    for (int i = 0; i < COUNT; i++) {
        if (i % 3 == 0)
            blocks[i] = aligned_alloc(64, opaque(0));
        else if (i % 3 == 1)
            blocks[i] = memalign(64, opaque(0));
        else if (posix_memalign(&blocks[i], 64, opaque(0)) != 0)
            blocks[i] = NULL;
        unaligned += (uintptr_t)blocks[i] % 64 != 0;
    }
    EXPECT_EQUAL(unaligned, 0);
    expect_distinct(blocks);
}

TEST(blocks_of_zero_bytes_are_aligned_to_16)
{
    for (int i = 0; i < COUNT; i++) {
        void *block = malloc(opaque(0));

        EXPECT_EQUAL((uintptr_t)block % 16, 0);
        free(block);
    }
}

/* In children, whose report of the fault is nobody's concern. */
static void write_a_byte(void *at)
{
    close(STDERR_FILENO);
    *(volatile char *)at = 1;
}

static void read_a_byte(void *at)
{
    close(STDERR_FILENO);
    (void)*(volatile char *)at;
}

TEST(a_write_to_malloc_of_zero_bytes_faults)
{
    NOT_OVER_GLIBC();
    for (int i = 0; i < 20; i++) {
        void *block = malloc(opaque(0));

        EXPECT_EQUAL(child_ending(write_a_byte, block), 128 + SIGSEGV);
        free(block);
    }
}

TEST(a_read_from_malloc_of_zero_bytes_faults)
{
    NOT_OVER_GLIBC();
    for (int i = 0; i < 20; i++) {
        void *block = calloc(opaque(0), 1);

        EXPECT_EQUAL(child_ending(read_a_byte, block), 128 + SIGSEGV);
        free(block);
    }
}

TEST(the_usable_size_of_malloc_of_zero_bytes_is_zero)
{
    NOT_OVER_GLIBC();
    void *block = malloc(opaque(0));

    EXPECT_EQUAL(malloc_usable_size(block), 0);
    free(block);
}

TEST(a_block_of_zero_bytes_can_grow)
{
    char *block = realloc(malloc(opaque(0)), 100);

    if (EXPECT(block != NULL))
        memset(block, 1, 100);
    free(block);
}

static long resident_bytes(void)
{
    long total, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%ld %ld", &total, &resident) != 2)
        return -1;
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

static void *realloc_to_nothing(void *block)
{
    return realloc(block, opaque(0));
}

static void *reallocarray_to_nothing(void *block)
{
    return reallocarray(block, opaque(0), 8);
}

/* 128 MiB in all, so a leak shows. */
static void expect_freed(void *(*release)(void *))
{
    enum { BYTES = 65536, TIMES = 2000 };
    long before = resident_bytes();

    for (int i = 0; i < TIMES; i++) {
        char *block = malloc(BYTES);

        memset(block, 1, BYTES);
        EXPECT(release(block) == NULL);
    }
    EXPECT(resident_bytes() - before < 32 << 20);
}

TEST(realloc_to_zero_bytes_frees_and_returns_NULL)
{
    expect_freed(realloc_to_nothing);
}

TEST(reallocarray_to_zero_bytes_frees_and_returns_NULL)
{
    expect_freed(reallocarray_to_nothing);
}

TEST(realloc_to_zero_bytes_of_a_large_block_frees_and_returns_NULL)
{
    for (int i = 0; i < 200; i++) {
        char *block = malloc(8 << 20);

        memset(block, 1, 1 << 20);
        EXPECT(realloc(block, opaque(0)) == NULL);
    }
    EXPECT(resident_bytes() < 256 << 20);
}
