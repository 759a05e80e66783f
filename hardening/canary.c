#include "canary.h"

/* The first of the eight bytes that differs. */
static size_t first_byte(uint64_t difference)
{
    return difference == 0 ? CANARY_BYTES : (size_t)__builtin_ctzll(difference) / 8;
}

static size_t first_in_slack(const char *from, size_t slack)
{
    size_t i = 0;

    while (i < slack && from[i] == 0)
        i++;
    return i;
}

struct canary_damage sg_canary_damage(const char *slot, size_t slot_bytes)
{
    size_t usable_bytes = slot_bytes - CANARY_BYTES;
    const char *place = slot + usable_bytes;
    uint64_t difference = canary_load(place) ^ canary_at((uintptr_t)place);
    size_t slack = ((difference >> 8) * CANARY_GATHER) & 0xffffff; /* what bytes 1 to 3 tell */

    /* From behind, damage has not come to these while the first byte is whole. */
    bool is_whole = (difference ^ slack * CANARY_SPREAD << 8) >> 8 == 0 || (difference & 0xff) == 0;
    if (slack > usable_bytes || !is_whole)
        slack = 0; /* overwritten: what was asked for is lost */
    difference ^= slack * CANARY_SPREAD << 8;

    /* Of what is behind these the program may have left some when the block shrank in place. */
    size_t counted = slack < CANARY_SLACK_BYTES ? slack : CANARY_SLACK_BYTES;
    size_t in_slack = first_in_slack(place - slack, counted);
    size_t block_bytes = usable_bytes - slack;
    return (struct canary_damage){
        .block_bytes = block_bytes,
        .first = in_slack < counted ? block_bytes + in_slack
                                    : usable_bytes + first_byte(difference),
        .bytes_before_next = in_slack == counted && (difference & 0xff) == 0 &&
                                     difference >> 56 != 0
                                 ? CANARY_BYTES - first_byte(difference)
                                 : 0,
    };
}
