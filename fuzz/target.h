/* What a fuzz target is: it takes inputs as libFuzzer and AFL++ hand them over, and it knows enough
 * of their form that inputs can be drawn and changed by whole records. One target a program. */
#ifndef SG_FUZZ_TARGET_H
#define SG_FUZZ_TARGET_H

#include "random.h"

#define TARGET_INPUT_BYTES_MAX 8192u

/* Runs one input; ends the process if the allocator breaks a promise. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

struct target {
    const char *name;
    size_t header_bytes; /* in front of the records */
    size_t record_bytes;
    size_t records_max;
    /* An input of the target's own kind, of at most `most` bytes; returns how many. */
    size_t (*generate)(struct random *random, uint8_t *bytes, size_t most);
    /* One record changed in a way that means something; `other` is another of the input. */
    void (*change)(struct random *random, uint8_t *record, const uint8_t *other);
};

/* Each target_*.c has its own. */
extern const struct target target;

/* The start of a sequence; each (seed, index) has one of its own. */
struct random target_random(uint64_t seed, uint64_t index);

#endif
