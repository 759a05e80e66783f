#include "tier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_MIN 4u
#define RECORDS_SPREAD 124u
#define SWARM_OPS_MAX 16u
#define SWARM_VALUES_MAX 4u

static unsigned number; /* of the record that is being performed, from 1 */

void tier_begin(struct tier_input *input, const uint8_t *data, size_t bytes)
{
    size_t header_bytes = bytes < TIER_HEADER_BYTES ? bytes : TIER_HEADER_BYTES;
    size_t records = (bytes - header_bytes) / TIER_RECORD_BYTES;

    *input = (struct tier_input){.next = data, .end = data};
    number = 0;
    if (header_bytes > 0)
        memcpy(input->header, data, header_bytes);
    for (unsigned i = 2; i < TIER_HEADER_BYTES; i++)
        input->seed = input->seed << 8 | input->header[i];
    if (records > TIER_RECORDS_MAX)
        records = TIER_RECORDS_MAX;
    if (records > 0) {
        input->next = data + header_bytes;
        input->end = input->next + records * TIER_RECORD_BYTES;
    }
}

bool tier_next(struct tier_input *input, struct tier_record *ret_record)
{
    const uint8_t *record = input->next;

    if (record == input->end)
        return false;
    *ret_record = (struct tier_record){record[0], record[1], record[2], record[3]};
    input->next += TIER_RECORD_BYTES;
    number++;
    return true;
}

void tier_fail(const char *oracle)
{
    fprintf(stderr, "fuzz: %s (%s, record %u)\n", oracle, target.name, number);
    abort();
}

void tier_expect(bool condition, const char *oracle)
{
    if (!condition)
        tier_fail(oracle);
}

struct swarm {
    unsigned op_count;
    uint8_t ops[SWARM_OPS_MAX];
    uint32_t places;
    unsigned value_count;
    uint8_t values[SWARM_VALUES_MAX];
};

static uint8_t draw(struct random *random, uint32_t limit)
{
    return (uint8_t)random_below(random, limit);
}

static struct swarm draw_swarm(struct random *random)
{
    static const uint16_t places[4] = {3, 12, 40, 256};
    struct swarm swarm = {
        .op_count = 2 + draw(random, SWARM_OPS_MAX - 1),
        .places = places[draw(random, 4)],
        .value_count = 1 + draw(random, SWARM_VALUES_MAX),
    };

    for (unsigned i = 0; i < swarm.op_count; i++)
        swarm.ops[i] = draw(random, 256);
    for (unsigned i = 0; i < swarm.value_count; i++)
        swarm.values[i] = draw(random, 256);
    return swarm;
}

static uint8_t draw_value(struct random *random, const struct swarm *swarm)
{
    if (draw(random, 4) == 0)
        return draw(random, 256);
    return swarm->values[draw(random, swarm->value_count)];
}

size_t tier_generate(struct random *random, uint8_t *bytes, size_t most)
{
    struct swarm swarm = draw_swarm(random);
    size_t records = RECORDS_MIN + random_below(random, RECORDS_SPREAD);

    if (most < TIER_HEADER_BYTES)
        return 0;
    if (records > (most - TIER_HEADER_BYTES) / TIER_RECORD_BYTES)
        records = (most - TIER_HEADER_BYTES) / TIER_RECORD_BYTES;
    for (unsigned i = 0; i < TIER_HEADER_BYTES; i++)
        bytes[i] = draw(random, 256);
    for (size_t i = 0; i < records; i++) {
        uint8_t *record = bytes + TIER_HEADER_BYTES + i * TIER_RECORD_BYTES;

        record[0] = swarm.ops[draw(random, swarm.op_count)];
        record[1] = draw(random, swarm.places);
        record[2] = draw_value(random, &swarm);
        record[3] = draw_value(random, &swarm);
    }
    return TIER_HEADER_BYTES + records * TIER_RECORD_BYTES;
}

void tier_change(struct random *random, uint8_t *record, const uint8_t *other)
{
    unsigned at = draw(random, TIER_RECORD_BYTES);

    if (draw(random, 3) == 0)
        record[at] = other[at];
    else if (draw(random, 2) == 0)
        record[at] = (uint8_t)(record[at] + draw(random, 9) - 4);
    else
        record[at] = draw(random, 256);
}
