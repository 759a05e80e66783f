/* What the targets of single tiers share: one form of input, one way to fail.
 *
 *   header, 8 bytes    setting[2], seed[6]: what they mean is the target's
 *   record, 4 bytes    op, and three operands
 *
 * Every string of bytes is valid; what is missing of the header reads as zero, and a record that is
 * cut short is left out. Operands that name something (a slot, a place) are absolute, so that
 * leaving a record out does not change what the others speak of. */
#ifndef SG_FUZZ_TIERS_TIER_H
#define SG_FUZZ_TIERS_TIER_H

#include "target.h"

#define TIER_HEADER_BYTES 8u
#define TIER_RECORD_BYTES 4u
#define TIER_RECORDS_MAX 1024u

struct tier_record {
    uint8_t op;
    uint8_t a;
    uint8_t b;
    uint8_t c;
};

struct tier_input {
    uint8_t header[TIER_HEADER_BYTES];
    uint64_t seed;
    const uint8_t *next;
    const uint8_t *end;
};

void tier_begin(struct tier_input *input, const uint8_t *data, size_t bytes);
bool tier_next(struct tier_input *input, struct tier_record *ret_record);

/* `oracle`: the promise that was broken. Ends the process, naming the record. */
_Noreturn void tier_fail(const char *oracle);
void tier_expect(bool condition, const char *oracle);

/* Around functions that only look: libFuzzer is to be led by what the allocator does, and its
 * counters would take most of the time here. */
#if defined(__clang__)
#define ORACLES_BEGIN                                                                              \
    _Pragma("clang attribute push(__attribute__((no_sanitize(\"coverage\"))), apply_to = function)")
#define ORACLES_END _Pragma("clang attribute pop")
#else
#define ORACLES_BEGIN
#define ORACLES_END
#endif

/* For struct target. A swarm: some ops, some places, few values. */
size_t tier_generate(struct random *random, uint8_t *bytes, size_t most);
void tier_change(struct random *random, uint8_t *record, const uint8_t *other);

#define TIER_TARGET(name_)                                                                         \
    const struct target target = {.name = (name_),                                                 \
                                  .header_bytes = TIER_HEADER_BYTES,                               \
                                  .record_bytes = TIER_RECORD_BYTES,                               \
                                  .records_max = TIER_RECORDS_MAX,                                 \
                                  .generate = tier_generate,                                       \
                                  .change = tier_change}

#endif
