#include "central_list.h"
#include "central_state.h"
#include "page_cache.h"
#include "page_map.h"
#include "report.h"
#include "secrets.h"
#include "test.h"

#include <string.h>

#define MOST 4096

static struct cache_entry entries[MOST];

static uint32_t take(uint32_t class, uint32_t count)
{
    uint32_t taken = 0;

    sg_secrets_start(true);
    while (taken < count) {
        uint32_t got =
            sg_central_take(class, entries + taken, count - taken < 64 ? count - taken : 64);
        if (got == 0)
            break;
        taken += got;
    }
    sg_central_check(class);
    EXPECT_EQUAL(taken, count);
    return taken;
}

static void give(uint32_t class, uint32_t from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += 64)
        sg_central_give(class, entries + from + i, count - i < 64 ? count - i : 64);
    sg_central_check(class);
}

static size_t used_bytes(void)
{
    struct page_cache_statistics pages;

    sg_page_cache_statistics(&pages);
    return pages.used_bytes;
}

TEST(slots_are_apart_and_in_the_class_of_their_span)
{
    for (uint32_t class = CLASS_FIRST; class < CLASS_COUNT; class += 13) {
        uint32_t count = take(class, 40);

        for (uint32_t i = 0; i < count; i++) {
            struct span *span = page_map_lookup((uintptr_t)entries[i].slot);

            EXPECT(span->slots.class == class);
            EXPECT(slot_state_of(&span->slots, entries[i].slot) == entries[i].state);
            EXPECT(slot_state_is_cached(load_relaxed(entries[i].state)));
            for (uint32_t j = 0; j < i; j++)
                EXPECT(entries[i].slot != entries[j].slot);
        }
        give(class, 0, count);
        sg_central_trim(class);
    }
    EXPECT_EQUAL(used_bytes(), 0);
}

TEST(spans_without_a_live_slot_go_to_the_page_cache)
{
    uint32_t count = take(3, MOST);
    size_t used = used_bytes();

    EXPECT(used >= MOST * 48u);
    give(3, 0, count - 1);
    EXPECT(used_bytes() < used / 10);
    give(3, count - 1, 1);
    sg_central_trim(3);
    EXPECT_EQUAL(used_bytes(), 0);
}

TEST(a_power_of_two_is_aligned_to_itself)
{
    for (size_t bytes = 16; bytes <= SMALL_MAX_BYTES; bytes *= 2) {
        uint32_t class = size_class_of(bytes);
        uint32_t count = take(class, 3);

        for (uint32_t i = 0; i < count; i++)
            EXPECT_EQUAL((uintptr_t)entries[i].slot % bytes, 0);
        give(class, 0, count);
        sg_central_trim(class);
    }
}

static void give_twice(void)
{
    sg_panic_hook = sg_report_panic;
    take(5, 1);
    sg_central_give(5, entries, 1);
    sg_central_give(5, entries, 1);
}

static void give_to_the_wrong_class(void)
{
    take(6, 1);
    sg_central_give(7, entries, 1);
}

static void give_a_live_slot(void)
{
    take(6, 1);
    store_relaxed(entries[0].state, SLOT_LIVE_MALLOC);
    sg_central_give(6, entries, 1);
}

static void give_a_wrong_state_byte(void)
{
    take(6, 2);
    entries[0].state = entries[1].state;
    sg_central_give(6, entries, 1);
}

/* Two threads that free one slot at the same moment both get it into their caches; the batch that
 * arrives second finds it out. */
TEST(a_batch_is_proven_slot_by_slot)
{
    EXPECT(test_dies_saying(give_twice, "P801 free slot changed hands"));
    EXPECT(test_dies_saying(give_to_the_wrong_class, "P801 free slot changed hands"));
    EXPECT(test_dies_saying(give_a_live_slot, "P801 free slot changed hands"));
    EXPECT(test_dies_saying(give_a_wrong_state_byte, "P801 free slot changed hands"));
}

TEST(os_pages_that_are_free_around_survivors_are_given_back)
{
    uint32_t class = size_class_of(48);
    uint32_t count = take(class, MOST);
    uint32_t survivors = 0;
    size_t given_back = 0;

    for (uint32_t i = 0; i < count; i++) {
        memset(entries[i].slot, 1, 48);
        if ((uintptr_t)entries[i].slot % (4 * PAGE_BYTES) < 48 && survivors < 64)
            entries[survivors++] = entries[i];
        else
            sg_central_give(class, &entries[i], 1);
    }
    sg_central_trim(class);
    for (uint32_t i = 0; i < survivors; i++)
        given_back +=
            (size_t)__builtin_popcountll(page_map_lookup((uintptr_t)entries[i].slot)->given_back);
    EXPECT(survivors > 2);
    EXPECT_EQUAL(given_back, survivors); /* of two OS pages each, the one without the survivor */
    for (uint32_t i = 0; i < survivors; i++)
        EXPECT(*(char *)entries[i].slot == 1);
    give(class, 0, survivors);
    sg_central_trim(class);
    EXPECT_EQUAL(used_bytes(), 0);
}

TEST(a_slot_said_to_be_zero_is_zero)
{
    uint32_t class = size_class_of(16384);
    uint32_t zero = 0;

    sg_page_cache_trim(0);
    for (int round = 0; round < 3; round++) {
        uint32_t count = take(class, 60);

        for (uint32_t i = 0; i < count; i++) {
            char *slot = entries[i].slot;

            if (load_relaxed(entries[i].state) == SLOT_CACHED_ZERO) {
                zero++;
                for (size_t j = 0; j < 16384; j += 256)
                    EXPECT(slot[j] == 0);
            }
            memset(slot, 0xff, 16384);
        }
        give(class, 0, count);
        if (round == 1)
            sg_central_trim(class);
    }
    EXPECT(zero > 0);
}
