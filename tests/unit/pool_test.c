#include "central_list.h"
#include "lifecycle.h"
#include "options.h"
#include "page_cache.h"
#include "page_map.h"
#include "pool.h"
#include "span.h"
#include "test.h"
#include "thread_registry.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

static struct pool_statistics statistics(void)
{
    struct pool_statistics now;

    sg_pool_statistics(&now);
    return now;
}

static void free_block(void *block)
{
    sg_pool_free(block, SLOT_LIVE_MALLOC, "free");
}

static void *allocate(size_t bytes)
{
    return sg_pool_allocate(bytes, SLOT_LIVE_MALLOC);
}

TEST(everything_freed_is_everything_merged)
{
    void *blocks[3000];

    for (size_t i = 0; i < 3000; i++) {
        blocks[i] = allocate(i * 131 % 400000);
        EXPECT(blocks[i] != NULL);
    }
    EXPECT(statistics().live_bytes > 3000u * 100000u);
    for (size_t i = 0; i < 3000; i++)
        free_block(blocks[(i * 7) % 3000]);
    sg_pool_trim(0);
    sg_page_cache_check();
    EXPECT_EQUAL(statistics().live_bytes, 0);
    EXPECT_EQUAL(statistics().clean_bytes, statistics().mapped_bytes);
}

/* What one tier hands out the next one holds. */
TEST(bytes_are_conserved_across_the_tiers)
{
    void *blocks[2000];
    struct page_cache_statistics pages;

    for (size_t i = 0; i < 2000; i++)
        blocks[i] = allocate(i % 5000 + 1);
    for (size_t i = 0; i < 2000; i += 2)
        free_block(blocks[i]);
    sg_page_cache_statistics(&pages);
    struct pool_statistics now = statistics();
    EXPECT(now.live_bytes + now.cached_bytes + now.central_bytes <= pages.used_bytes);
    /* The rest is the tails and the guards of spans. */
    EXPECT(now.live_bytes + now.cached_bytes + now.central_bytes + now.guard_bytes >=
           pages.used_bytes / 16 * 15);
    EXPECT_EQUAL(pages.used_bytes + pages.dirty_bytes + pages.clean_bytes, pages.mapped_bytes);
    for (size_t i = 1; i < 2000; i += 2)
        free_block(blocks[i]);
}

static void *allocate_once(void *unused)
{
    for (size_t bytes = 16; bytes <= 1024; bytes += 16)
        free_block(allocate(bytes));
    return unused;
}

TEST(a_thread_that_ends_leaves_nothing_behind)
{
    size_t caches = statistics().thread_caches;

    for (int i = 0; i < 50; i++) {
        pthread_t thread;

        EXPECT(pthread_create(&thread, NULL, allocate_once, NULL) == 0);
        pthread_join(thread, NULL);
    }
    sg_pool_trim(0);
    EXPECT_EQUAL(statistics().thread_caches, caches);
    EXPECT_EQUAL(statistics().cached_bytes, 0);
    EXPECT_EQUAL(statistics().live_bytes, 0);
}

static size_t cached_after(size_t bytes, size_t count)
{
    static void *blocks[20000];

    for (int round = 0; round < 12; round++) {
        for (size_t i = 0; i < count; i++)
            blocks[i] = allocate(bytes);
        for (size_t i = 0; i < count; i++)
            free_block(blocks[i]);
    }
    return statistics().cached_bytes;
}

TEST(a_thread_keeps_no_more_than_its_option_says)
{
    sg_pool_trim(0);
    sg_options_apply("thread_cache_bytes=256K");
    for (size_t bytes = 64; bytes <= 65536; bytes *= 4) {
        size_t cached = cached_after(bytes, bytes < 1000 ? 20000 : 500);

        EXPECT(cached <= 256 << 10);
        EXPECT(cached > 0 || bytes > 16384);
    }
    sg_options_apply("thread_cache_bytes=8M");
}

TEST(all_threads_keep_no_more_than_their_option_says)
{
    sg_pool_trim(0);
    sg_options_apply("thread_caches_bytes=0");
    EXPECT(cached_after(1024, 1000) <= 256 << 10); /* what was leased before */
    sg_options_apply("thread_caches_bytes=32M");
}

TEST(a_block_that_moves_keeps_its_contents)
{
    for (size_t from = 1; from <= 4 << 20; from = from * 3 + 5)
        for (size_t to = 1; to <= 4 << 20; to = to * 5 + 3) {
            char *block = allocate(from);
            size_t kept = from < to ? from : to;

            memset(block, 'x', from);
            block[kept - 1] = 'y';
            block = sg_pool_reallocate(block, to, "realloc");
            EXPECT(block != NULL && block[kept - 1] == 'y' && (kept == 1 || block[0] == 'x'));
            free_block(block);
        }
}

TEST(what_calloc_gives_is_zero)
{
    for (int round = 0; round < 3; round++)
        for (size_t bytes = 1; bytes <= 3 << 20; bytes = bytes * 2 + 3) {
            char *block = sg_pool_allocate_zeroed(bytes);

            for (size_t i = 0; i < bytes; i++)
                if (block[i] != 0) {
                    EXPECT_EQUAL(bytes, 0);
                    break;
                }
            memset(block, 0xff, bytes);
            free_block(block);
        }
}

TEST(impossible_sizes_are_refused_and_nothing_is_lost)
{
    size_t live = statistics().live_bytes;

    EXPECT(allocate(SIZE_MAX) == NULL);
    EXPECT(allocate((size_t)PTRDIFF_MAX + 1) == NULL);
    EXPECT(allocate((size_t)1 << 47) == NULL);
    EXPECT(sg_pool_allocate_zeroed(SIZE_MAX - 4096) == NULL);
    EXPECT(sg_pool_allocate_aligned((size_t)1 << 62, 1, SLOT_LIVE_ALIGNED) == NULL);
    EXPECT(sg_pool_allocate_aligned(4096, SIZE_MAX - 4096, SLOT_LIVE_ALIGNED) == NULL);
    EXPECT_EQUAL(statistics().live_bytes, live);
    free_block(allocate(100));
}

/* The shortest block of its class: it ends far from the edges that are looked at of every slot. */
static size_t short_bytes(void)
{
    uint32_t class = size_class_of(20000);
    size_t bytes = sg_size_classes[class - 1].slot_bytes - 7;

    EXPECT(sg_size_classes[class].slot_bytes - bytes > 200);
    return bytes;
}

/* Where the block will end that comes to lie there. */
static void write_into_slots_that_were_never_handed_out(void)
{
    size_t bytes = short_bytes();
    char *block = allocate(bytes);
    const struct span *span = page_map_lookup((uintptr_t)block);
    size_t slot_bytes = sg_size_classes[span->slots.class].slot_bytes;

    for (uint32_t i = 0; i < span->slots.slot_count; i++) {
        char *slot = (char *)span->slots.base + i * slot_bytes;

        if (slot != block)
            slot[bytes] = 1;
    }
    for (uint32_t i = 1; i < span->slots.slot_count; i++)
        (void)!allocate(bytes);
}

TEST(a_write_between_the_edges_of_a_fresh_slot_is_told_by_its_offset)
{
    char line[100];

    snprintf(line, sizeof(line), "bytes was written to, first at +%zu (", short_bytes());
    EXPECT(test_dies_saying(write_into_slots_that_were_never_handed_out, line));
}

static _Atomic bool has_grown;

static void *grow(void *unused)
{
    for (int i = 0; i < 1000 && allocate((size_t)100 << 20) != NULL; i++)
        ;
    has_grown = true;
    return unused;
}

/* Differences of them are what mallinfo() tells, and none is below zero. */
static void compare_while_growing(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, grow, NULL) != 0)
        _exit(2);
    while (!has_grown) {
        struct pool_statistics now = statistics();

        if (now.large_bytes > now.live_bytes || now.live_bytes > now.mapped_bytes)
            _exit(1);
    }
    pthread_join(thread, NULL);
}

TEST(no_more_is_live_than_is_mapped)
{
    EXPECT_EQUAL(test_status_of(compare_while_growing), 0);
}
