#include "generate.h"

#include <string.h>

#define RECORDS_MIN 8u
#define RECORDS_MAX 160u
#define SWARM_SIZES_MAX 3u
#define SWARM_OPS_MAX 16u

struct swarm {
    unsigned slots;
    unsigned size_count;
    uint8_t size_kind[SWARM_SIZES_MAX];
    uint8_t size_index[SWARM_SIZES_MAX];
    unsigned op_count;
    uint8_t ops[SWARM_OPS_MAX];
};

static uint8_t byte_below(struct random *random, uint32_t limit)
{
    return (uint8_t)random_below(random, limit);
}

/* Large sizes are rare: the kernel's work for one is that of a hundred small ones. */
static uint8_t draw_size_kind(struct random *random)
{
    static const uint8_t kinds[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 3, 3};

    return kinds[random_below(random, sizeof(kinds))];
}

static struct swarm draw_swarm(struct random *random)
{
    static const uint8_t slots[4] = {2, 8, 24, OPS_SLOTS};
    struct swarm swarm = {
        .slots = slots[random_below(random, 4)],
        .size_count = 1 + random_below(random, SWARM_SIZES_MAX),
        .op_count = 2 + random_below(random, SWARM_OPS_MAX - 1),
    };

    for (unsigned i = 0; i < swarm.size_count; i++) {
        swarm.size_kind[i] = draw_size_kind(random);
        swarm.size_index[i] = byte_below(random, 256);
    }
    for (unsigned i = 0; i < swarm.op_count; i++)
        swarm.ops[i] = byte_below(random, 16);
    return swarm;
}

static void draw_record(struct random *random, const struct swarm *swarm, uint8_t *record)
{
    unsigned size = random_below(random, swarm->size_count);
    uint8_t kind = swarm->size_kind[size];
    uint8_t variant = byte_below(random, 4);

    if (random_below(random, 8) == 0)
        variant = byte_below(random, 16); /* on several slots */
    record[2] = swarm->size_index[size];
    if (random_below(random, 8) == 0) { /* a size of its own */
        kind = draw_size_kind(random);
        record[2] = byte_below(random, 256);
    }
    record[0] = (uint8_t)(swarm->ops[random_below(random, swarm->op_count)] | variant << 4);
    record[1] = (uint8_t)(random_below(random, swarm->slots) | (unsigned)kind << 6);
    record[3] = byte_below(random, 256);
}

size_t generate_input(struct random *random, uint8_t *bytes, size_t most)
{
    struct swarm swarm = draw_swarm(random);
    size_t records = RECORDS_MIN + random_below(random, RECORDS_MAX - RECORDS_MIN);

    if (most < OPS_HEADER_BYTES)
        return 0;
    if (records > (most - OPS_HEADER_BYTES) / OPS_RECORD_BYTES)
        records = (most - OPS_HEADER_BYTES) / OPS_RECORD_BYTES;
    bytes[0] = 0;
    for (unsigned i = 1; i < OPS_HEADER_BYTES; i++)
        bytes[i] = byte_below(random, 256);
    for (size_t i = 0; i < records; i++)
        draw_record(random, &swarm, bytes + OPS_HEADER_BYTES + i * OPS_RECORD_BYTES);
    return OPS_HEADER_BYTES + records * OPS_RECORD_BYTES;
}

void generate_change(struct random *random, uint8_t *record, const uint8_t *other)
{
    switch (random_below(random, 5)) {
    case 0: /* the same slot */
        record[1] = (uint8_t)((record[1] & 0xc0) | (other[1] & 0x3f));
        break;
    case 1: /* the same size */
        record[1] = (uint8_t)((record[1] & 0x3f) | (other[1] & 0xc0));
        record[2] = other[2];
        break;
    case 2:
        record[3] = (uint8_t)(record[3] + random_below(random, 5) - 2);
        break;
    case 3:
        record[0] = (uint8_t)random_next(random);
        break;
    default:
        record[random_below(random, OPS_RECORD_BYTES)] = (uint8_t)random_next(random);
        break;
    }
}
