/* No memory for our own records: what needs one gets nothing, what is there stays as it is, and
 * when there is memory again everything works. */
#include "central_list.h"
#include "laboratory.h"
#include "object_pool.h"
#include "options.h"
#include "page_cache.h"
#include "pool.h"
#include "span.h"
#include "test.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#define RECORDS_MAX 20000
#define LARGE 3000000

static void *records[OBJECT_POOL_COUNT][RECORDS_MAX];
static size_t counts[OBJECT_POOL_COUNT];

static bool refuse_mmap(long number, const long *arguments, long *ret_result)
{
    (void)arguments;
    *ret_result = -ENOMEM;
    return number == SYS_mmap;
}

/* Everything that the pools have; spans, states and bins are of these sizes. */
static void take_all(void)
{
    laboratory.fault = refuse_mmap;
    for (size_t i = 0; i < OBJECT_POOL_COUNT; i++) {
        size_t bytes = i < 16 ? 64 * (i + 1) : 1024 * (i - 15) > 8192 ? 8192 : 1024 * (i - 15);

        for (counts[i] = 0; counts[i] < RECORDS_MAX; counts[i]++) {
            records[i][counts[i]] = sg_object_pool_take(bytes);
            if (records[i][counts[i]] == NULL)
                break;
        }
        EXPECT(counts[i] < RECORDS_MAX);
    }
}

static void give_all(void)
{
    laboratory.fault = NULL;
    for (size_t i = 0; i < OBJECT_POOL_COUNT; i++) {
        size_t bytes = i < 16 ? 64 * (i + 1) : 1024 * (i - 15) > 8192 ? 8192 : 1024 * (i - 15);

        while (counts[i] > 0)
            sg_object_pool_give(records[i][--counts[i]], bytes);
    }
}

static void *allocate(size_t bytes)
{
    return sg_pool_allocate(bytes, SLOT_LIVE_MALLOC);
}

static void end(void *block)
{
    sg_pool_free(block, SLOT_LIVE_MALLOC, "free");
}

static void expect_all_free(void)
{
    struct pool_statistics now;

    sg_pool_trim(0);
    sg_page_cache_check();
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        sg_central_check(class);
    sg_pool_statistics(&now);
    EXPECT_EQUAL(now.live_bytes, 0);
    EXPECT_EQUAL(now.large_count, 0);
}

/* There are pages enough, in one run; what lacks is a record for the rest of it. */
TEST(a_run_that_cannot_be_split_stays_whole)
{
    end(allocate(2 * LARGE));
    sg_pool_trim(0);
    take_all();
    EXPECT(allocate(LARGE) == NULL);
    EXPECT(sg_pool_allocate_aligned(1 << 20, LARGE, SLOT_LIVE_ALIGNED) == NULL);
    EXPECT(sg_pool_allocate_typed(LARGE, 5) == NULL);
    EXPECT(sg_pool_allocate_typed(200, 5) == NULL);
    give_all();
    sg_page_cache_check();
    end(allocate(LARGE));
    expect_all_free();
}

TEST(a_large_block_keeps_the_pages_that_cannot_be_cut_off)
{
    char *block = allocate(LARGE), *other = allocate(LARGE);

    memset(block, 1, LARGE);
    take_all();
    block = sg_pool_reallocate(block, LARGE / 3, "realloc");
    EXPECT(block != NULL && block[0] == 1 && block[LARGE / 3 - 1] == 1);
    /* More than any free run has: one that fits by chance needs no record. */
    EXPECT(sg_pool_reallocate(block, 6 * LARGE, "realloc") == NULL);
    EXPECT(block[0] == 1 && block[LARGE / 3 - 1] == 1);
    give_all();
    block = sg_pool_reallocate(block, 2 * LARGE, "realloc");
    EXPECT(block[0] == 1 && block[LARGE / 3 - 1] == 1);
    end(block);
    end(other);
    expect_all_free();
}

/* With free pages behind it. The records of runs that merge may be enough after all. */
TEST(a_block_that_may_not_grow_in_place_keeps_its_contents)
{
    sg_options_apply("guard_large=0");
    char *block = allocate(LARGE), *above = allocate(LARGE);

    memset(block, 2, LARGE);
    end(above < block ? block : above);
    block = above < block ? above : block;
    memset(block, 2, LARGE);
    take_all();
    char *grown = sg_pool_reallocate(block, LARGE + 100000, "realloc");
    block = grown != NULL ? grown : block;
    EXPECT(block[0] == 2 && block[LARGE - 1] == 2);
    give_all();
    sg_page_cache_check();
    end(block);
    sg_options_apply("guard_large=1");
    expect_all_free();
}

/* Of classes that no thread has used so far. */
TEST(a_class_without_records_serves_later)
{
    take_all();
    for (size_t bytes = 2000; bytes < 200000; bytes *= 3)
        EXPECT(allocate(bytes) == NULL);
    give_all();
    for (size_t bytes = 2000; bytes < 200000; bytes *= 3)
        end(allocate(bytes));
    expect_all_free();
}
