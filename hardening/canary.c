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
    size_t slack = (difference >> 8) & 0xffffff;

    /* From the front, damage that reaches beyond the slack's bytes has gone through them; from
     * behind it has not come so far while the first byte is whole. */
    bool is_whole = difference >> 32 == 0 || (difference & 0xff) == 0;
    if (slack > usable_bytes || !is_whole)
        slack = 0; /* overwritten: what was asked for is lost */
    difference ^= (uint64_t)slack << 8;

    size_t in_slack = first_in_slack(place - slack, slack);
    size_t block_bytes = usable_bytes - slack;
    return (struct canary_damage){
        .block_bytes = block_bytes,
        .first = in_slack < slack ? block_bytes + in_slack : usable_bytes + first_byte(difference),
        .bytes_before_next = in_slack == slack && (difference & 0xff) == 0 && difference >> 56 != 0
                                 ? CANARY_BYTES - first_byte(difference)
                                 : 0,
    };
}
