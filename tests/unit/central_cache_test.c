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

static struct free_slot decoded(uint32_t i)
{
    struct free_slot free_slot;

    EXPECT(entry_decode(&entries[i], &free_slot));
    return free_slot;
}

static void *slot_of(uint32_t i)
{
    return decoded(i).slot;
}

static slot_state_byte *state_of(uint32_t i)
{
    return decoded(i).state;
}

static void trim(uint32_t class)
{
    sg_central_trim(class);
    sg_central_quarantine_drain();
}

static uint32_t take(uint32_t class, uint32_t count)
{
    uint32_t taken = 0;

    if (sg_keys.canary == 0)
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
            struct span *span = page_map_lookup((uintptr_t)slot_of(i));

            EXPECT(span->slots.class == class);
            EXPECT(slot_state_of(&span->slots, slot_of(i)) == state_of(i));
            EXPECT(slot_state_is_cached(load_relaxed(state_of(i))));
            for (uint32_t j = 0; j < i; j++)
                EXPECT(slot_of(i) != slot_of(j));
        }
        give(class, 0, count);
        trim(class);
    }
    EXPECT_EQUAL(used_bytes(), 0);
}

TEST(spans_without_a_live_slot_go_to_the_page_cache)
{
    uint32_t count = take(3, MOST);
    size_t used = used_bytes();

    EXPECT(used >= MOST * 48u);
    give(3, 0, count - 1);
    sg_central_quarantine_drain();
    EXPECT(used_bytes() < used / 10);
    give(3, count - 1, 1);
    trim(3);
    EXPECT_EQUAL(used_bytes(), 0);
}

TEST(a_power_of_two_is_aligned_to_itself)
{
    for (size_t bytes = 16; bytes <= SMALL_MAX_BYTES; bytes *= 2) {
        uint32_t class = size_class_of(bytes);
        uint32_t count = take(class, 3);

        for (uint32_t i = 0; i < count; i++)
            EXPECT_EQUAL((uintptr_t)slot_of(i) % bytes, 0);
        give(class, 0, count);
        trim(class);
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
    store_relaxed(state_of(0), SLOT_LIVE_MALLOC);
    sg_central_give(6, entries, 1);
}

static void give_a_wrong_state_byte(void)
{
    take(6, 2);
    entry_encode(&entries[0], slot_of(0), state_of(1));
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

static void give_a_copied_entry(void)
{
    take(6, 2);
    entries[0] = entries[1]; /* as an attacker would who can read and write a cache */
    sg_central_give(6, entries, 1);
}

static void give_a_forged_entry(void)
{
    take(6, 2);
    entries[0].slot_word ^= 0x40; /* the slot next to it */
    sg_central_give(6, entries, 1);
}

static void give_an_overwritten_entry(void)
{
    take(6, 1);
    entries[0].slot_word = (uintptr_t)entries;
    entries[0].state_word = (uintptr_t)entries;
    sg_central_give(6, entries, 1);
}

TEST(an_entry_decodes_only_as_it_was_left_and_where)
{
    EXPECT(test_dies_saying(give_a_copied_entry, "P803 damaged cache entry"));
    EXPECT(test_dies_saying(give_a_forged_entry, "P803 damaged cache entry"));
    EXPECT(test_dies_saying(give_an_overwritten_entry, "P803 damaged cache entry"));
}

/* By chance one entry in 65,536 still decodes: of each bit some hundred may not all be lucky. */
TEST(an_entry_shows_a_change_of_any_bit_of_its_addresses)
{
    uint32_t count = take(6, 256);

    for (unsigned bit = 0; bit < 128; bit++) {
        if (bit >= 48 && bit < 64)
            continue;
        unsigned unseen = 0;

        for (uint32_t i = 0; i < count; i++) {
            struct cache_entry whole = entries[i];
            uint64_t *word = bit < 64 ? &entries[i].slot_word : &entries[i].state_word;
            struct free_slot ignored;

            *word ^= (uint64_t)1 << bit % 64;
            unseen += entry_decode(&entries[i], &ignored);
            entries[i] = whole;
        }
        EXPECT(unseen <= 2);
    }
    give(6, 0, count);
    trim(6);
}

TEST(os_pages_that_are_free_around_survivors_are_given_back)
{
    uint32_t class = size_class_of(48);
    uint32_t count = take(class, MOST);
    uint32_t survivors = 0;
    size_t given_back = 0;

    for (uint32_t i = 0; i < count; i++) {
        memset(slot_of(i), 1, 48);
        if (page_map_lookup((uintptr_t)slot_of(i))->slots.base == (uintptr_t)slot_of(i) &&
            survivors < 16)
            entry_move(&entries[survivors++], &entries[i]);
        else
            sg_central_give(class, &entries[i], 1);
    }
    trim(class);
    for (uint32_t i = 0; i < survivors; i++)
        given_back +=
            (size_t)__builtin_popcountll(page_map_lookup((uintptr_t)slot_of(i))->given_back);
    EXPECT(survivors > 2);
    EXPECT_EQUAL(given_back, survivors); /* of two OS pages each, the one without the survivor */
    for (uint32_t i = 0; i < survivors; i++)
        EXPECT(*(char *)slot_of(i) == 1);
    give(class, 0, survivors);
    trim(class);
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
            char *slot = slot_of(i);

            if (load_relaxed(state_of(i)) == SLOT_CACHED_ZERO) {
                zero++;
                for (size_t j = 0; j < 16384; j += 256)
                    EXPECT(slot[j] == 0);
            }
            memset(slot, 0xff, 16384);
        }
        give(class, 0, count);
        if (round == 1)
            trim(class);
    }
    EXPECT(zero > 0);
}
