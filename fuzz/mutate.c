/* For libFuzzer and AFL++: changes whole records instead of bytes, and often starts afresh. Plain
 * mutation needs ten times as long to find what two records must do together. */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#define RUN_RECORDS_MAX 8u
#define RECORD_BYTES_MAX 64u

size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t most) __attribute__((weak));
size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_bytes, const uint8_t *other,
                                 size_t other_bytes, uint8_t *data, size_t most, unsigned seed);
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

    if (LLVMFuzzerMutate != NULL && (most < least || (choice < 1 && bytes <= most)))
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

/* A run of one parent, then one of the other, in the order in which they stand; or the start of one
 * and the end of the other. Slots mean the same in both. */
static size_t cross(struct random *random, struct records parents[2], uint8_t *data, size_t most)
{
    size_t taken[2] = {0, 0};
    size_t count = 0;
    bool is_splice = random_below(random, 2) == 0;

    for (unsigned turn = 0; count < most && taken[turn % 2] < parents[turn % 2].count; turn++) {
        struct records *parent = &parents[turn % 2];
        size_t left = parent->count - taken[turn % 2];
        size_t run = 1 + random_below(random, (uint32_t)(is_splice ? left : RUN_RECORDS_MAX));

        if (is_splice && turn == 1) { /* the end, and no more after it */
            taken[1] = parent->count - run;
            taken[0] = parents[0].count;
        }
        run = run < left ? run : left;
        run = run < most - count ? run : most - count;
        memcpy(data + count * target.record_bytes, record(parent, taken[turn % 2]),
               run * target.record_bytes);
        taken[turn % 2] += run;
        count += run;
    }
    return count;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_bytes, const uint8_t *other,
                                 size_t other_bytes, uint8_t *data, size_t most, unsigned seed)
{
    struct random random = target_random(seed, one_bytes + other_bytes);
    size_t least = target.header_bytes + target.record_bytes;

    if (most < least)
        return 0;
    if (one_bytes < least || other_bytes < least)
        return target.generate(&random, data, most);

    /* Only read from. */
    struct records parents[2] = {records_of((uint8_t *)(uintptr_t)one, one_bytes, one_bytes),
                                 records_of((uint8_t *)(uintptr_t)other, other_bytes, other_bytes)};
    struct records child = records_of(data, most, most);
    memcpy(data, one, target.header_bytes);
    return target.header_bytes +
           cross(&random, parents, child.first, child.most) * target.record_bytes;
}

/* AFL++'s names for the same; its headers are not needed. */
struct afl_mutator {
    unsigned seed;
    uint8_t bytes[TARGET_INPUT_BYTES_MAX];
};

void *afl_custom_init(void *afl, unsigned seed);
size_t afl_custom_fuzz(void *mutator, uint8_t *input, size_t bytes, uint8_t **ret_output,
                       uint8_t *other, size_t other_bytes, size_t most);
void afl_custom_deinit(void *mutator);

EXPORT void *afl_custom_init(void *afl, unsigned seed)
{
    struct afl_mutator *mutator = calloc(1, sizeof(*mutator));

    (void)afl;
    if (mutator != NULL)
        mutator->seed = seed;
    return mutator;
}

EXPORT size_t afl_custom_fuzz(void *mutator, uint8_t *input, size_t bytes, uint8_t **ret_output,
                              uint8_t *other, size_t other_bytes, size_t most)
{
    struct afl_mutator *state = mutator;
    unsigned seed = ++state->seed * 2654435761u;

    *ret_output = state->bytes;
    if (most > sizeof(state->bytes))
        most = sizeof(state->bytes);
    if (other != NULL && seed % 4 == 0)
        return LLVMFuzzerCustomCrossOver(input, bytes, other, other_bytes, state->bytes, most,
                                         seed);
    if (bytes > most)
        bytes = most;
    memcpy(state->bytes, input, bytes);
    return LLVMFuzzerCustomMutator(state->bytes, bytes, most, seed);
}

EXPORT void afl_custom_deinit(void *mutator)
{
    free(mutator);
}
