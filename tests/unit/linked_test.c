/* A program that links libspanguard.a instead of preloading the shared library. */
#include "spanguard/spanguard.h"
#include "test.h"

#include <limits.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* mallinfo() */

static void *volatile sink;

TEST(a_program_can_link_the_static_library)
{
    sink = malloc(100);
    EXPECT(strlen(spanguard_version()) > 0);
    EXPECT_EQUAL(malloc_usable_size(sink), 100);
    free(sink);
}

static void free_twice(void)
{
    sink = malloc(100);
    free(sink);
    free(sink);
}

TEST(the_linked_library_reports_misuse)
{
    EXPECT(test_dies_saying(free_twice, "P203 double free: free: a block of "));
}

TEST(figures_that_no_int_holds_are_the_most_it_holds)
{
    size_t bytes = (size_t)3 << 30; /* addresses only: nothing touches them */

    sink = malloc(bytes);
    EXPECT(sink != NULL);
    EXPECT(mallinfo2().hblkhd >= bytes);
    EXPECT_EQUAL(mallinfo().hblkhd, INT_MAX);
    free(sink);
    EXPECT(mallinfo().hblkhd < INT_MAX);
}

TEST(malloc_info_tells_that_its_stream_took_nothing)
{
    FILE *full = fopen("/dev/full", "w"), *null = fopen("/dev/null", "w");

    EXPECT(full != NULL && null != NULL);
    setvbuf(full, NULL, _IONBF, 0);
    EXPECT_EQUAL(malloc_info(0, null), 0);
    EXPECT_EQUAL(malloc_info(0, full) + 1, 0);
    fclose(full);
    fclose(null);
}

/* Not behind the last slot of a span, nor in the guards around a large block. */
TEST(there_is_no_room_where_no_block_can_be)
{
    enum { COUNT = 300, BYTES = 9000 };
    static char *blocks[COUNT];
    char *first, *large = malloc(600000);
    size_t none = 0;

    for (size_t i = 0; i < COUNT; i++)
        blocks[i] = malloc(BYTES);
    first = blocks[0];
    for (size_t i = 0; i < COUNT; i++) {
        EXPECT_EQUAL(spanguard_block_room(blocks[i]), BYTES);
        EXPECT_EQUAL(spanguard_block_room(blocks[i] + BYTES - 1), 1);
        EXPECT_EQUAL(spanguard_block_room(blocks[i] + BYTES), 0);
        first = blocks[i] < first ? blocks[i] : first;
    }
    for (size_t at = 0; at < COUNT * BYTES; at += 16) {
        size_t room = spanguard_block_room(first + at);

        EXPECT(room <= BYTES || room == SIZE_MAX || first + at + room == large + 600000);
        none += room == 0;
    }
    EXPECT(none > 0);
    EXPECT_EQUAL(spanguard_block_room(large - 1), 0);
    EXPECT_EQUAL(spanguard_block_room(large + 600000), 0);
    for (size_t i = 0; i < COUNT; i++)
        free(blocks[i]);
    free(large);
}

static void copy_to_recycled_memory(void)
{
    char *block = malloc(600000);

    free(block);
    malloc_trim(0);
    while (spanguard_block_room(block) != 0) /* never: freed memory has none */
        ;
    spanguard_report_copy("memcpy", block, 100, true);
}

TEST(a_copy_to_memory_that_was_recycled_is_told_as_such)
{
    EXPECT(test_dies_saying(copy_to_recycled_memory,
                            "P204 stale pointer: memcpy: no block is there any more"));
}
