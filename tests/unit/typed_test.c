/* Partitions: memory, addresses, and repair in a child. */
#include "page_map.h"
#include "pool.h"
#include "span.h"
#include "test.h"
#include "typed.h"

#include <string.h>

enum { COUNT = 2000 };

static char *blocks[COUNT];

static void *take(size_t bytes, uint32_t partition)
{
    return sg_pool_allocate_typed(bytes, partition);
}

static void end(void *block)
{
    sg_pool_free(block, SLOT_LIVE_MALLOC, "free");
}

static struct typed_statistics statistics(void)
{
    struct typed_statistics now;

    sg_typed_statistics(&now);
    return now;
}

TEST(blocks_lie_in_spans_of_their_partition)
{
    for (size_t bytes = 0; bytes < 1000000; bytes = bytes * 2 + 1) {
        char *block = take(bytes, 3);
        const struct span *span = page_map_lookup((uintptr_t)block);

        EXPECT(block != NULL && span != NULL);
        EXPECT_EQUAL(span->partition, 3);
        EXPECT_EQUAL(*span->slots.states == SLOT_LIVE_TYPED || span->slots.slot_count > 1, true);
        end(block);
    }
}

/* A second filling needs no new addresses. */
TEST(a_partition_uses_its_addresses_again)
{
    size_t mapped_bytes = 0;

    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < COUNT; i++)
            blocks[i] = take(i * 7 % 9000, 4);
        for (size_t i = 0; i < COUNT; i++)
            end(blocks[i]);
        sg_typed_trim();
        if (round > 0)
            EXPECT_EQUAL(statistics().mapped_bytes, mapped_bytes);
        mapped_bytes = statistics().mapped_bytes;
    }
    EXPECT_EQUAL(statistics().live_bytes, 0);
}

static void add_of_partition_5(struct span *span)
{
    if (span->slots.owner == SPAN_TYPED && span->partition == 5)
        sg_typed_rebuild_add(span);
}

TEST(a_partition_is_rebuilt_from_its_spans)
{
    for (size_t i = 0; i < COUNT; i++)
        blocks[i] = memset(take(i % 3000 + 1, 5), (int)i, i % 3000 + 1);
    for (size_t i = 0; i < COUNT; i += 2)
        end(blocks[i]);
    for (size_t i = 0; i < 20; i++) /* some vacant room of large ones too */
        end(take(400000, 5));
    sg_typed_rebuild_begin(5);
    sg_page_map_each(add_of_partition_5);
    for (size_t i = 0; i < COUNT; i += 2)
        blocks[i] = memset(take(i % 3000 + 1, 5), (int)i, i % 3000 + 1);
    for (size_t i = 0; i < COUNT; i++) {
        EXPECT_EQUAL((unsigned char)blocks[i][i % 3000], (unsigned char)i);
        end(blocks[i]);
    }
    end(take(400000, 5));
    sg_typed_trim();
    EXPECT_EQUAL(statistics().live_bytes, 0);
}

static void add_of_partition_8(struct span *span)
{
    if (span->slots.owner == SPAN_TYPED && span->partition == 8)
        sg_typed_rebuild_add(span);
}

/* Spans without a block have no access: what the child takes from them can be written. */
TEST(a_rebuilt_partition_uses_its_empty_spans_again)
{
    size_t mapped_bytes;

    for (size_t i = 0; i < COUNT; i++)
        blocks[i] = take(1000, 8);
    for (size_t i = 0; i < COUNT; i++)
        end(blocks[i]);
    mapped_bytes = statistics().mapped_bytes;
    sg_typed_rebuild_begin(8);
    sg_page_map_each(add_of_partition_8);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT; i++)
            blocks[i] = memset(take(1000, 8), (int)i, 1000);
        for (size_t i = 0; i < COUNT; i++)
            EXPECT_EQUAL((unsigned char)blocks[i][999], (unsigned char)i);
        EXPECT_EQUAL(statistics().mapped_bytes, mapped_bytes);
        for (size_t i = 0; i < COUNT; i++)
            end(blocks[i]);
    }
    EXPECT_EQUAL(statistics().live_bytes, 0);
}

TEST(impossible_sizes_are_refused)
{
    EXPECT(take(SIZE_MAX, 6) == NULL);
    EXPECT(take((size_t)1 << 47, 6) == NULL);
    EXPECT(sg_pool_is_partition(63) && !sg_pool_is_partition(64));
}

static void free_twice(void)
{
    void *block = take(40, 7);

    end(block);
    end(block);
}

TEST(a_double_free_is_reported)
{
    EXPECT(test_dies_saying(free_twice, "P203 double free: free: a block of "));
}
