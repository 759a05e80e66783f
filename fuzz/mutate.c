/* For libFuzzer: changes whole records instead of bytes, and often starts afresh. Plain mutation
 * needs ten times as long to find what two records must do together. */
#include "generate.h"

#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t most, unsigned seed);

struct records {
    uint8_t *first;
    size_t count;
    size_t most;
};

static uint8_t *record(const struct records *records, size_t index)
{
    return records->first + index * OPS_RECORD_BYTES;
}

/* Makes room for `count` records at `at`; fewer if there is no room. Returns how many. */
static size_t open_gap(struct records *records, size_t at, size_t count)
{
    if (count > records->most - records->count)
        count = records->most - records->count;
    memmove(record(records, at + count), record(records, at),
            (records->count - at) * OPS_RECORD_BYTES);
    records->count += count;
    return count;
}

static void remove_run(struct records *records, size_t at, size_t count)
{
    if (count > records->count - at)
        count = records->count - at;
    memmove(record(records, at), record(records, at + count),
            (records->count - at - count) * OPS_RECORD_BYTES);
    records->count -= count;
}

static void duplicate_run(struct records *records, size_t at, size_t to, size_t count)
{
    uint8_t run[8 * OPS_RECORD_BYTES];

    if (count > records->count - at)
        count = records->count - at;
    memcpy(run, record(records, at), count * OPS_RECORD_BYTES);
    count = open_gap(records, to, count);
    memcpy(record(records, to), run, count * OPS_RECORD_BYTES);
}

/* One change. There is at least one record. */
static void change(struct records *records, struct random *random)
{
    size_t at = random_below(random, (uint32_t)records->count);
    size_t other = random_below(random, (uint32_t)records->count);
    uint8_t *one = record(records, at);

    switch (random_below(random, 7)) {
    case 0:
        remove_run(records, at, 1 + random_below(random, 8));
        break;
    case 1:
        duplicate_run(records, at, other, 1 + random_below(random, 8));
        break;
    case 2: /* the same slot */
        one[1] = (uint8_t)((one[1] & 0xc0) | (record(records, other)[1] & 0x3f));
        break;
    case 3: /* the same size */
        one[1] = (uint8_t)((one[1] & 0x3f) | (record(records, other)[1] & 0xc0));
        one[2] = record(records, other)[2];
        break;
    case 4:
        one[3] = (uint8_t)(one[3] + random_below(random, 5) - 2);
        break;
    case 5:
        one[0] = (uint8_t)random_next(random);
        break;
    default:
        one[random_below(random, OPS_RECORD_BYTES)] = (uint8_t)random_next(random);
        break;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t most, unsigned seed)
{
    struct random random = generate_random(seed, bytes);
    uint32_t choice = random_below(&random, 10);

    if (most > OPS_INPUT_BYTES_MAX)
        most = OPS_INPUT_BYTES_MAX;
    if (most < OPS_HEADER_BYTES + OPS_RECORD_BYTES || (choice < 1 && bytes <= most))
        return LLVMFuzzerMutate(data, bytes, most);
    if (choice < 3 || bytes < OPS_HEADER_BYTES + OPS_RECORD_BYTES || bytes > most)
        return generate_input(&random, data, most);

    struct records records = {
        .first = data + OPS_HEADER_BYTES,
        .count = (bytes - OPS_HEADER_BYTES) / OPS_RECORD_BYTES,
        .most = (most - OPS_HEADER_BYTES) / OPS_RECORD_BYTES,
    };
    uint32_t changes = 1 + random_below(&random, 4);
    for (uint32_t i = 0; i < changes && records.count > 0; i++)
        change(&records, &random);
    if (random_below(&random, 16) == 0)
        data[1] = (uint8_t)random_next(&random);
    return OPS_HEADER_BYTES + records.count * OPS_RECORD_BYTES;
}
