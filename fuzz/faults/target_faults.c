/* One thread over the tiers while system calls fail as the input's header says. */
#include "target.h"

#include "fault_run.h"
#include "generate.h"

#include <string.h>

#define LONG_INDEX_MAX 96u /* of 32 KiB each */
#define LONG_SLOTS 4u

static uint8_t draw_error(struct random *random, uint8_t mask)
{
    uint32_t call = mask == 0 ? 0 : (uint32_t)__builtin_ctz(mask);
    const int *errors = faulty_errors((enum faulty_call)call);
    uint32_t count = 0;

    while (errors[count] >= 0)
        count++;
    return (uint8_t)errors[random_below(random, count)];
}

static uint8_t draw_mask(struct random *random)
{
    if (random_below(random, 4) == 0)
        return (uint8_t)random_next(random);
    return (uint8_t)(1u << random_below(random, FAULTY_CALLS));
}

/* Early calls more often than late ones; one in four rules has no end. */
static void draw_rule(struct random *random, uint8_t *rule)
{
    rule[0] = draw_mask(random);
    rule[1] = (uint8_t)(1u + random_below(random, 1u << random_below(random, 6)));
    rule[2] = (uint8_t)random_below(random, 1u << random_below(random, 6));
    if (random_below(random, 4) == 0)
        rule[2] = UINT8_MAX;
    rule[3] = (uint8_t)(draw_error(random, rule[0]) | random_below(random, 2) << 7);
}

/* Most of what fails are calls for long blocks, which generate_input() seldom draws; and those that
 * grow have to be in the same slots. */
static void draw_long(struct random *random, uint8_t *record)
{
    static const uint8_t ops[4] = {0, 1, 3, 3}; /* malloc, calloc, realloc; see ops.c */

    record[0] = (uint8_t)((record[0] & 0xf0) | ops[random_below(random, 4)]);
    record[1] =
        (uint8_t)(random_below(random, LONG_SLOTS) | (2u - (random_below(random, 4) == 0)) << 6);
    record[2] %= LONG_INDEX_MAX;
}

static size_t generate(struct random *random, uint8_t *bytes, size_t most)
{
    if (most < FAULT_HEADER_BYTES)
        return 0;
    memset(bytes, 0, FAULT_HEADER_BYTES);
    draw_rule(random, bytes);
    if (random_below(random, 2) == 0)
        draw_rule(random, bytes + 4);
    bytes[8] = (uint8_t)random_next(random);
    bytes[9] = (uint8_t)random_next(random);
    bytes[10] = (uint8_t)random_next(random);
    size_t size = generate_input(random, bytes + FAULT_HEADER_BYTES, most - FAULT_HEADER_BYTES);
    if (random_below(random, 8) == 0)
        for (size_t i = OPS_HEADER_BYTES; i + OPS_RECORD_BYTES <= size; i += OPS_RECORD_BYTES)
            if (random_below(random, 2) == 0)
                draw_long(random, bytes + FAULT_HEADER_BYTES + i);
    return FAULT_HEADER_BYTES + size;
}

const struct target target = {
    .name = "faults",
    .header_bytes = FAULT_HEADER_BYTES + OPS_HEADER_BYTES,
    .record_bytes = OPS_RECORD_BYTES,
    .records_max = OPS_RECORDS_MAX,
    .generate = generate,
    .change = generate_change,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct fault_setup setup = fault_setup_of(data, bytes);
    size_t header = bytes < FAULT_HEADER_BYTES ? bytes : FAULT_HEADER_BYTES;

    fault_run(&setup, data == NULL ? NULL : data + header, bytes - header);
    return 0;
}
