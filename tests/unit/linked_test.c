/* A program that links libspanguard.a instead of preloading the shared library. */
#include "spanguard/spanguard.h"
#include "test.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* mallinfo() */

static void *volatile sink;

struct nothrow;

/* There is no C++ library here: what it has behind ours is not there. */
void *_Znwm(size_t bytes);
void *_ZnwmRKSt9nothrow_t(size_t bytes, const struct nothrow *tag);
void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t bytes, size_t alignment, const struct nothrow *tag);
void _ZdlPvm(void *object, size_t bytes);

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

static void allocate_some(void)
{
    for (size_t bytes = 0; bytes < 400000; bytes = bytes * 2 + 1) {
        sink = malloc(bytes);
        memset(sink, 1, bytes);
        free(sink);
    }
    _Exit(7);
}

static void *fork_first_of_all(void *ret_status)
{
    *(int *)ret_status = test_status_of(allocate_some);
    return NULL;
}

/* It has no cache, and is the only thread that the child has. */
TEST(a_thread_that_never_allocated_forks)
{
    pthread_t thread;
    int status = -1;

    EXPECT_EQUAL(pthread_create(&thread, NULL, fork_first_of_all, &status), 0);
    pthread_join(thread, NULL);
    EXPECT_EQUAL(status, 7);
}

TEST(nothrow_new_without_a_library_of_cxx_is_ENOMEM)
{
    errno = 0;
    EXPECT(_ZnwmRKSt9nothrow_t(SIZE_MAX / 2 + 1, NULL) == NULL);
    EXPECT_EQUAL(errno, ENOMEM);
    errno = 0;
    EXPECT(_ZnamSt11align_val_tRKSt9nothrow_t(SIZE_MAX / 2 + 1, 64, NULL) == NULL);
    EXPECT_EQUAL(errno, ENOMEM);
}

/* Of a slot that is cleared as a whole, and of one whose edges are. */
static size_t block_bytes;

static void delete_overflowed(void)
{
    char *block = sink = _Znwm(block_bytes);

    block[block_bytes]++;
    _ZdlPvm(sink, block_bytes);
}

static void delete_as_larger(void)
{
    _ZdlPvm(_Znwm(block_bytes), block_bytes + 1);
}

static void expect_both_told(size_t bytes, const char *overflow, const char *mismatch)
{
    block_bytes = bytes;
    EXPECT(test_dies_saying(delete_overflowed, overflow));
    EXPECT(test_dies_saying(delete_as_larger, mismatch));
}

TEST(a_stated_size_hides_no_overflow_and_is_looked_at)
{
    expect_both_told(
        24,
        "P101 heap overflow: operator delete: a block of 24 bytes was written past its "
        "end, first at +24",
        "P402 size mismatch: operator delete: size 25 stated for a block of 24 bytes");
    expect_both_told(
        1000,
        "P101 heap overflow: operator delete: a block of 1000 bytes was written past its "
        "end, first at +1000",
        "P402 size mismatch: operator delete: size 1001 stated for a block of 1000 bytes");
}
