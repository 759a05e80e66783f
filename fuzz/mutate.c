/* For libFuzzer: changes whole records instead of bytes, and often starts afresh. Plain mutation
 * needs ten times as long to find what two records must do together. */
#include "target.h"

#include <string.h>

#define RUN_RECORDS_MAX 8u
#define RECORD_BYTES_MAX 64u

size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t most, unsigned seed);

struct records {
    uint8_t *first;
    size_t count;
    size_t most;
};

static uint8_t *record(const struct records *records, size_t index)
{
    return records->first + index * target.record_bytes;
}

/* Makes room for `count` records at `at`; fewer if there is no room. Returns how many. */
static size_t open_gap(struct records *records, size_t at, size_t count)
{
    if (count > records->most - records->count)
        count = records->most - records->count;
    memmove(record(records, at + count), record(records, at),
            (records->count - at) * target.record_bytes);
    records->count += count;
    return count;
}

static void remove_run(struct records *records, size_t at, size_t count)
{
    if (count > records->count - at)
        count = records->count - at;
    memmove(record(records, at), record(records, at + count),
            (records->count - at - count) * target.record_bytes);
    records->count -= count;
}

static void duplicate_run(struct records *records, size_t at, size_t to, size_t count)
{
    uint8_t run[RUN_RECORDS_MAX * RECORD_BYTES_MAX];

    if (count > records->count - at)
        count = records->count - at;
    memcpy(run, record(records, at), count * target.record_bytes);
    count = open_gap(records, to, count);
    memcpy(record(records, to), run, count * target.record_bytes);
}

/* One change. There is at least one record. */
static void change(struct records *records, struct random *random)
{
    size_t at = random_below(random, (uint32_t)records->count);
    size_t other = random_below(random, (uint32_t)records->count);

    switch (random_below(random, 7)) {
    case 0:
        remove_run(records, at, 1 + random_below(random, RUN_RECORDS_MAX));
        break;
    case 1:
        duplicate_run(records, at, other, 1 + random_below(random, RUN_RECORDS_MAX));
        break;
    default:
        target.change(random, record(records, at), record(records, other));
        break;
    }
}

static struct records records_of(uint8_t *data, size_t bytes, size_t most)
{
    struct records records = {
        .first = data + target.header_bytes,
        .count = (bytes - target.header_bytes) / target.record_bytes,
        .most = (most - target.header_bytes) / target.record_bytes,
    };

    if (records.most > target.records_max)
        records.most = target.records_max;
    if (records.count > records.most)
        records.count = records.most;
    return records;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t most, unsigned seed)
{
    struct random random = target_random(seed, bytes);
    uint32_t choice = random_below(&random, 10);
    size_t least = target.header_bytes + target.record_bytes;

    if (most < least || (choice < 1 && bytes <= most))
        return LLVMFuzzerMutate(data, bytes, most);
    if (choice < 3 || bytes < least || bytes > most)
        return target.generate(&random, data, most);

    struct records records = records_of(data, bytes, most);
    uint32_t changes = 1 + random_below(&random, 4);
    for (uint32_t i = 0; i < changes && records.count > 0; i++)
        change(&records, &random);
    if (random_below(&random, 16) == 0)
        data[random_below(&random, (uint32_t)target.header_bytes)] = (uint8_t)random_next(&random);
    return target.header_bytes + records.count * target.record_bytes;
}
