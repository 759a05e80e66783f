#include "canary.h"
#include "secrets.h"
#include "test.h"

#include <string.h>

enum { SLOT_BYTES = 128, USABLE_BYTES = SLOT_BYTES - 8, TRIALS = 20000 };

static _Alignas(16) char slot[SLOT_BYTES];

/* A live block of `bytes`, with new keys. */
static void make_block(size_t bytes)
{
    sg_secrets_start(true);
    memset(slot, 0, sizeof slot);
    memset(slot, 'x', bytes);
    canary_write(slot + SLOT_BYTES, USABLE_BYTES - bytes);
}

/* As the canary says it, or SIZE_MAX if something is damaged. */
static size_t slack_of_block(void)
{
    size_t slack;

    return canary_is_whole(slot + SLOT_BYTES, USABLE_BYTES, &slack) ? slack : SIZE_MAX;
}

TEST(a_whole_canary_tells_what_was_asked_for)
{
    for (size_t bytes = 1; bytes <= USABLE_BYTES; bytes++) {
        make_block(bytes);
        EXPECT_EQUAL(slack_of_block(), USABLE_BYTES - bytes);
        EXPECT_EQUAL(slot[USABLE_BYTES], 0); /* a string stops there */
    }
}

TEST(each_byte_behind_the_block_is_watched)
{
    for (size_t bytes = 1; bytes <= USABLE_BYTES; bytes++)
        for (size_t at = bytes; at < SLOT_BYTES && at < bytes + CANARY_SLACK_BYTES; at++) {
            make_block(bytes);
            slot[at] ^= 0x55;
            EXPECT_EQUAL(slack_of_block(), SIZE_MAX);
            if (at < USABLE_BYTES)
                EXPECT_EQUAL(sg_canary_damage(slot, SLOT_BYTES).first, at);
        }
}

/* Also where the block ends with zeroes, as slack does. */
TEST(a_changed_byte_of_the_canary_is_no_other_slack)
{
    for (int i = 0; i < TRIALS; i++) {
        make_block((size_t)i % USABLE_BYTES + 1);
        memset(slot, 0, USABLE_BYTES);
        slot[USABLE_BYTES + 1 + i % 7] ^= (char)(1 + i % 255);
        EXPECT(slack_of_block() > USABLE_BYTES);
    }
}

/* What the program left in a long slack, when it made the block smaller in place, is no damage. */
TEST(an_underflow_behind_a_long_slack_is_told_as_one)
{
    make_block(60);
    memset(slot + 60 + CANARY_SLACK_BYTES, 'x', USABLE_BYTES - 60 - CANARY_SLACK_BYTES);
    slot[SLOT_BYTES - 1] ^= 0x55;
    EXPECT_EQUAL(sg_canary_damage(slot, SLOT_BYTES).bytes_before_next, 1);
}

/* The longer the slot, the more values of a lost canary would pass for a slack. */
TEST(a_canary_that_is_gone_tells_no_size)
{
    static _Alignas(16) char long_slot[73728];
    size_t usable_bytes = sizeof long_slot - CANARY_BYTES;

    for (int i = 0; i < TRIALS; i++) {
        sg_secrets_start(true);
        canary_write(long_slot + sizeof long_slot, 8000);
        memset(long_slot + usable_bytes, 'A', CANARY_BYTES);
        struct canary_damage damage = sg_canary_damage(long_slot, sizeof long_slot);
        EXPECT_EQUAL(damage.block_bytes, usable_bytes);
        EXPECT_EQUAL(damage.first, usable_bytes);
        EXPECT_EQUAL(damage.bytes_before_next, 0);
    }
}

TEST(damage_from_behind_is_told_by_its_length)
{
    for (size_t count = 1; count <= 4; count++) {
        make_block(100);
        for (size_t i = 0; i < count; i++)
            slot[SLOT_BYTES - 1 - i] ^= 0x55;
        struct canary_damage damage = sg_canary_damage(slot, SLOT_BYTES);
        EXPECT_EQUAL(damage.bytes_before_next, count);
        EXPECT_EQUAL(damage.block_bytes, 100);
    }
}

/* Another thread may have freed it since: what was found is not there any more. */
TEST(a_whole_block_has_no_damage)
{
    make_block(100);
    struct canary_damage damage = sg_canary_damage(slot, SLOT_BYTES);
    EXPECT_EQUAL(damage.block_bytes, 100);
    EXPECT_EQUAL(damage.first, SLOT_BYTES);
    EXPECT_EQUAL(damage.bytes_before_next, 0);
}

TEST(the_place_of_a_block_is_clear_where_its_canary_and_its_slack_will_be)
{
    const char *end = slot + SLOT_BYTES;

    memset(slot, 0, sizeof slot);
    for (size_t slack = 0; slack <= USABLE_BYTES - 8; slack++)
        EXPECT(canary_place_is_clear(end, slack));
    slot[USABLE_BYTES + 3] = 1;
    EXPECT(!canary_place_is_clear(end, 0));
    slot[USABLE_BYTES + 3] = 0;
    slot[USABLE_BYTES - 60] = 1; /* the first byte behind a block that leaves 60 */
    EXPECT(!canary_place_is_clear(end, 60));
    EXPECT(canary_place_is_clear(end, 59));
    EXPECT(canary_place_is_clear(end, 8));
}
