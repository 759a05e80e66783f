#include "options.h"
#include "page_cache.h"
#include "page_cache_state.h"
#include "page_map.h"
#include "secrets.h"
#include "span_quarantine.h"
#include "test.h"

#include <string.h>

static struct span *take_pages(size_t pages, size_t alignment_pages, bool *ret_zeroed)
{
    struct page_request request = {
        .pages = pages, .alignment_pages = alignment_pages, .owner = SPAN_LARGE};

    return sg_page_cache_take(request, ret_zeroed);
}

static struct span *take(size_t pages)
{
    bool zeroed;
    struct span *span;

    sg_secrets_start(true);
    span = take_pages(pages, 1, &zeroed);
    EXPECT(span != NULL && span->pages == pages && span->slots.owner == SPAN_LARGE);
    sg_page_cache_check();
    return span;
}

static struct page_cache_statistics statistics(void)
{
    struct page_cache_statistics now;

    sg_page_cache_statistics(&now);
    return now;
}

static void give(struct span *span)
{
    sg_page_cache_give(span, false, SIZE_MAX);
    sg_page_cache_check();
}

/* sg_page_cache_check() finds any two free runs that touch. */
static void expect_all_merged(void)
{
    sg_page_cache_trim(0);
    sg_page_cache_check();
    EXPECT_EQUAL(statistics().used_bytes, 0);
    EXPECT_EQUAL(statistics().dirty_bytes, 0);
    EXPECT_EQUAL(statistics().clean_bytes, statistics().mapped_bytes);
}

TEST(freed_neighbours_merge_in_every_order)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

    for (int i = 0; i < 6; i++) {
        struct span *spans[3] = {take(2), take(3), take(1)};

        for (int j = 0; j < 3; j++)
            give(spans[orders[i][j]]);
        expect_all_merged();
    }
}

TEST(a_span_in_use_is_never_merged)
{
    struct span *first = take(1), *middle = take(1), *last = take(1);
    uintptr_t base = middle->slots.base;

    give(first);
    give(last);
    EXPECT(page_map_lookup(base) == middle && middle->pages == 1);
    give(middle);
    expect_all_merged();
}

TEST(the_shortest_run_that_fits_is_taken)
{
    struct span *runs[4], *separators[4];
    uintptr_t base_of_three;

    for (int i = 0; i < 4; i++) {
        runs[i] = take((size_t)i * 2 + 1); /* 1, 3, 5, 7 pages */
        separators[i] = take(1);
    }
    base_of_three = runs[1]->slots.base;
    for (int i = 0; i < 4; i++)
        give(runs[i]);
    struct span *best = take(2);
    EXPECT_EQUAL(best->slots.base, base_of_three);
    give(best);
    for (int i = 0; i < 4; i++)
        give(separators[i]);
    expect_all_merged();
}

TEST(runs_beyond_the_longest_list_are_found_by_length)
{
    struct span *long_runs[5], *separators[5];

    for (size_t i = 0; i < 5; i++) {
        long_runs[i] = take(200 + 50 * ((i * 3) % 5));
        separators[i] = take(1);
    }
    for (size_t i = 0; i < 5; i++)
        give(long_runs[i]);
    for (size_t pages = 400; pages >= 200; pages -= 50) {
        struct span *best = sg_page_runs_best_fit(&sg_page_cache.dirty[SPACE_COMMON], pages);
        EXPECT(best == NULL || best->pages >= pages);
    }
    sg_page_cache_check();
    for (size_t i = 0; i < 5; i++)
        give(separators[i]);
    expect_all_merged();
}

TEST(an_aligned_span_is_aligned_and_its_trimmings_come_back)
{
    for (size_t alignment = 1; alignment <= 1024; alignment *= 4) {
        bool zeroed;
        struct span *span = take_pages(5, alignment, &zeroed);

        EXPECT(span != NULL && span->pages == 5);
        EXPECT_EQUAL(span->slots.base % (alignment * PAGE_BYTES), 0);
        give(span);
    }
    expect_all_merged();
}

TEST(memory_said_to_be_zeroed_is_zero)
{
    for (int round = 0; round < 4; round++) {
        bool zeroed = false;
        struct span *span = take_pages(40, 1, &zeroed);
        char *memory = (char *)span->slots.base;

        for (size_t i = 0; zeroed && i < span_bytes(span); i += 512)
            EXPECT(memory[i] == 0);
        memset(memory, 0xff, span_bytes(span));
        give(span);
        if (round % 2 == 1)
            sg_page_cache_trim(0);
    }
    expect_all_merged();
}

TEST(a_span_grows_and_shrinks_where_it_is)
{
    struct span *span = take(10);
    uintptr_t base = span->slots.base;

    EXPECT(sg_page_cache_shrink(span, 4, SIZE_MAX));
    EXPECT_EQUAL(span->pages, 4);
    EXPECT(page_map_lookup(base + 5 * PAGE_BYTES) != span);
    EXPECT(sg_page_cache_extend(span, 8));
    EXPECT_EQUAL(span->pages, 8);
    EXPECT(page_map_lookup(base + 7 * PAGE_BYTES) == span);
    EXPECT(!sg_page_cache_extend(span, (size_t)1 << 30));
    give(span);
    expect_all_merged();
}

TEST(dirty_memory_is_bounded)
{
    struct span *spans[64];

    for (int i = 0; i < 64; i++) {
        spans[i] = take(64);
        memset((void *)spans[i]->slots.base, 1, span_bytes(spans[i]));
    }
    for (int i = 0; i < 64; i++)
        sg_page_cache_give(spans[i], false, SIZE_MAX);
    EXPECT(statistics().dirty_bytes <= sg_page_cache_dirty_limit() * PAGE_BYTES);
    EXPECT(sg_page_cache_dirty_limit() * PAGE_BYTES <= sg_options.dirty_bytes + 256 * MIB);
    EXPECT(statistics().purge_calls > 0);
    expect_all_merged();
}

/* Fill and drain in turn: at first each round is purged and faulted in again, then it is kept. A
 * pause of the machine fades what was learnt, so most of the later rounds are asked, not all. */
TEST(memory_that_is_asked_for_again_at_once_is_kept)
{
    struct span *spans[16];
    int quiet_rounds = 0;

    for (int round = 0; round < 60; round++) {
        size_t purges = statistics().purge_calls;

        for (int i = 0; i < 16; i++)
            spans[i] = take(64);
        for (int i = 0; i < 16; i++)
            sg_page_cache_give(spans[i], false, SIZE_MAX);
        quiet_rounds += round >= 30 && statistics().purge_calls == purges;
    }
    EXPECT(quiet_rounds >= 20);
    expect_all_merged();
}

TEST(impossible_lengths_are_refused)
{
    bool zeroed;

    EXPECT(take_pages(0, 1, &zeroed) == NULL);
    EXPECT(take_pages(SIZE_MAX / PAGE_BYTES, 1, &zeroed) == NULL);
    EXPECT(take_pages((size_t)1 << 31, 1, &zeroed) == NULL);
    EXPECT(take_pages((size_t)1 << 30, (size_t)1 << 40, &zeroed) == NULL);
    expect_all_merged();
}

/* Found by chance: of two that leave after one was put, the second could be the one put last. */
TEST(the_span_put_last_is_the_last_to_leave)
{
    enum { SPANS = 10, ROUNDS = 50 };
    static struct span_quarantine quarantine;
    static struct span spans[SPANS];

    for (int round = 0; round < ROUNDS; round++) {
        struct span *left = NULL, *next;

        for (int i = 0; i < SPANS; i++) {
            spans[i].pages = 1;
            EXPECT(sg_span_quarantine_put(&quarantine, &spans[i], true));
        }
        while ((next = sg_span_quarantine_evict(&quarantine, 0, 0)) != NULL)
            left = next;
        EXPECT(left == &spans[SPANS - 1]);
        EXPECT_EQUAL(quarantine.count, 0);
        EXPECT_EQUAL(quarantine.pages, 0);
    }
}
