#include "os_memory.h"
#include "page_map.h"
#include "secrets.h"
#include "span.h"
#include "test.h"

static const uintptr_t somewhere = (uintptr_t)0x7f0000000000;

TEST(an_address_that_was_never_ours_is_null)
{
    const uintptr_t odd[] = {0,
                             1,
                             4096,
                             somewhere,
                             (uintptr_t)1 << 47,
                             (uintptr_t)1 << 48,
                             (uintptr_t)1 << 56,
                             (uintptr_t)1 << 57,
                             (uintptr_t)1 << 63,
                             UINTPTR_MAX,
                             0xdeadbeefdeadbeef};

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        EXPECT(page_map_lookup(odd[i]) == NULL);
        EXPECT(page_map_lookup_near(odd[i]) == NULL);
    }
}

static void expect_mapped(uintptr_t base)
{
    struct span span;

    sg_secrets_start(true);
    EXPECT(sg_page_map_cover(base, 3 * PAGE_BYTES));
    sg_page_map_set(base, 3, &span);
    for (size_t i = 0; i < 3; i++) {
        EXPECT(page_map_lookup(base + i * PAGE_BYTES) == &span);
        EXPECT(page_map_lookup(base + i * PAGE_BYTES + PAGE_BYTES - 1) == &span);
    }
    EXPECT(page_map_lookup(base - 1) == NULL);
    EXPECT(page_map_lookup(base + 3 * PAGE_BYTES) == NULL);
    sg_page_map_set(base, 3, NULL);
    EXPECT(page_map_lookup(base) == NULL);
}

TEST(every_page_of_a_span_finds_it_and_its_neighbours_do_not)
{
    expect_mapped(somewhere);
}

TEST(a_span_may_cross_from_one_leaf_to_the_next)
{
    expect_mapped(((uintptr_t)5 << PAGE_MAP_LEAF_SHIFT) - PAGE_BYTES);
}

TEST(addresses_of_57_bits_work_too)
{
    expect_mapped((uintptr_t)1 << 52);
    expect_mapped(((uintptr_t)1 << 57) - 4 * PAGE_BYTES);
}

static struct span *seen[3];
static size_t seen_count;

static void see(struct span *span)
{
    if (seen_count < 3)
        seen[seen_count] = span;
    seen_count++;
}

TEST(all_spans_are_visited_near_and_far)
{
    static struct span near, far;
    uintptr_t far_base = (uintptr_t)1 << 52;

    EXPECT(sg_page_map_cover(somewhere, 2 * PAGE_BYTES) && sg_page_map_cover(far_base, PAGE_BYTES));
    sg_page_map_set(somewhere, 2, &near);
    sg_page_map_set(far_base, 1, &far);
    seen_count = 0;
    sg_page_map_each(see);
    EXPECT_EQUAL(seen_count, 2); /* two pages of one span in a row: once */
    EXPECT(seen[0] == &near && seen[1] == &far);
    sg_page_map_set(somewhere, 2, NULL);
    sg_page_map_set(far_base, 1, NULL);
}

TEST(addresses_beyond_57_bits_are_refused)
{
    EXPECT(!sg_page_map_cover((uintptr_t)1 << 57, PAGE_BYTES));
}
