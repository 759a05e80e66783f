#include "generate.h"

#include <string.h>

#define RECORDS_MIN 8u
#define RECORDS_MAX 96u
#define SWARM_SIZES_MAX 3u
#define SWARM_OPS_MAX 16u

/* How large blocks may get: the work for one of the largest is that for a hundred small ones. */
enum regime { REGIME_SMALL, REGIME_MEDIUM, REGIME_ANY };

struct size {
    uint8_t kind;
    uint8_t index;
};

struct swarm {
    enum regime regime;
    unsigned slots;
    unsigned size_count;
    struct size sizes[SWARM_SIZES_MAX];
    unsigned op_count;
    uint8_t ops[SWARM_OPS_MAX];
};

static uint8_t byte_below(struct random *random, uint32_t limit)
{
    return (uint8_t)random_below(random, limit);
}

/* Of ops.h. */
#define FIRST_COSTLY_CODE 8u
#define LAST_COSTLY_CODE 11u
#define BURST_CODE 11u

#define SMALL_INDEX_MAX 80u /* up to 2 KiB */

/* As ops.h has it: 0 is about a class, 1 and 2 are pages, 3 is special. */
static struct size draw_size(struct random *random, enum regime regime)
{
    static const uint8_t kinds[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 3, 3};
    static const uint8_t special[8] = {0, 1, 2, 3, 4, 5, 6, 1};
    struct size size = {kinds[random_below(random, sizeof(kinds))], byte_below(random, 256)};

    if (regime == REGIME_ANY)
        return size;
    if (size.kind == 3) /* none, few, or more than there can be */
        size.index = (uint8_t)((size.index & 0xf8) | special[random_below(random, 8)]);
    else
        size.kind = 0;
    if (size.kind == 0 && regime == REGIME_SMALL)
        size.index %= SMALL_INDEX_MAX;
    return size;
}

static enum regime draw_regime(struct random *random)
{
    uint32_t choice = random_below(random, 32);

    return choice < 24 ? REGIME_SMALL : choice < 31 ? REGIME_MEDIUM : REGIME_ANY;
}

/* Calls that look at the whole heap cost as much as dozens of others. */
static bool is_costly(uint8_t op)
{
    return op >= FIRST_COSTLY_CODE && op <= LAST_COSTLY_CODE;
}

static uint8_t draw_op(struct random *random)
{
    uint8_t op = byte_below(random, 16);

    if (is_costly(op) && random_below(random, 4) != 0)
        op = byte_below(random, FIRST_COSTLY_CODE);
    return op;
}

static uint8_t draw_rarely(struct random *random, uint32_t one_in, uint8_t bits)
{
    return random_below(random, one_in) == 0 ? (uint8_t)(random_next(random) >> 32) & bits : 0;
}

/* What costs much is rare: a thread that may cache next to nothing, another place with cold page
 * tables, real guards, whole contents, a walk after each call. */
static void draw_tuning(struct random *random, uint8_t *header)
{
    header[0] = (uint8_t)(random_below(random, 4) | draw_rarely(random, 8, 0x0c) |
                          draw_rarely(random, 4, 0x10) | draw_rarely(random, 8, 0x60) |
                          draw_rarely(random, 64, 0x80));
    header[1] = (uint8_t)(draw_rarely(random, 4, 0x03) | random_below(random, 4) << 2 |
                          draw_rarely(random, 64, 0x10) | draw_rarely(random, 32, 0x60) |
                          draw_rarely(random, 16, 0x80));
    header[2] = draw_rarely(random, 4, 0xff);
    for (unsigned i = 3; i < OPS_HEADER_BYTES; i++)
        header[i] = byte_below(random, 256);
}

static struct swarm draw_swarm(struct random *random)
{
    static const uint8_t slots[4] = {2, 8, 24, OPS_SLOTS};
    struct swarm swarm = {
        .regime = draw_regime(random),
        .slots = slots[random_below(random, 4)],
        .size_count = 1 + random_below(random, SWARM_SIZES_MAX),
        .op_count = 2 + random_below(random, SWARM_OPS_MAX - 1),
    };

    for (unsigned i = 0; i < swarm.size_count; i++)
        swarm.sizes[i] = draw_size(random, swarm.regime);
    for (unsigned i = 0; i < swarm.op_count; i++)
        swarm.ops[i] = draw_op(random);
    return swarm;
}

#define BURST_DELTA_MAX 8u /* some dozen blocks; a whole span is rare */

static void draw_record(struct random *random, const struct swarm *swarm, uint8_t *record)
{
    struct size size = swarm->sizes[random_below(random, swarm->size_count)];
    uint8_t op = swarm->ops[random_below(random, swarm->op_count)];
    uint8_t variant = byte_below(random, 4);

    if (is_costly(op) && random_below(random, 4) != 0)
        op = swarm->ops[random_below(random, swarm->op_count)];
    if (random_below(random, 32) == 0)
        variant = byte_below(random, 16); /* on several slots */
    if (random_below(random, 8) == 0)
        size = draw_size(random, swarm->regime); /* of its own */
    record[0] = (uint8_t)(op | variant << 4);
    record[1] = (uint8_t)(random_below(random, swarm->slots) | (unsigned)size.kind << 6);
    record[2] = size.index;
    record[3] = byte_below(random, 256);
    if (op == BURST_CODE && random_below(random, 8) != 0)
        record[3] %= BURST_DELTA_MAX;
}

size_t generate_input(struct random *random, uint8_t *bytes, size_t most)
{
    struct swarm swarm = draw_swarm(random);
    size_t records = RECORDS_MIN + random_below(random, RECORDS_MAX - RECORDS_MIN);

    if (most < OPS_HEADER_BYTES)
        return 0;
    if (records > (most - OPS_HEADER_BYTES) / OPS_RECORD_BYTES)
        records = (most - OPS_HEADER_BYTES) / OPS_RECORD_BYTES;
    draw_tuning(random, bytes);
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
