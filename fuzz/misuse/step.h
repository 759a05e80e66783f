/* Bytes <-> what an input does. Every string is valid. */
#ifndef SG_FUZZ_MISUSE_STEP_H
#define SG_FUZZ_MISUSE_STEP_H

#include "acts.h"

#include "options.h"
#include "random.h"

#define STEP_HEADER_BYTES 8u
#define STEP_RECORD_BYTES 8u
#define STEPS_MAX 200u

struct setting {
    enum profile profile;
    bool has_chance;  /* keys are the machine's: another run places blocks elsewhere */
    bool is_sampled;  /* every small block stands guarded */
    bool is_threaded; /* steps may be of a second thread */
    uint64_t seed;    /* of the keys; above 0 */
};

enum step_kind {
    STEP_MALLOC,
    STEP_CALLOC,
    STEP_ALIGNED,
    STEP_FREE,
    STEP_REALLOC,
    STEP_USABLE,
    STEP_TRIM,
    STEP_CHURN, /* as many blocks made and freed again */
    STEP_VERIFY,
    STEP_ACT,
};

struct step {
    enum step_kind kind;
    enum act_kind act;
    bool by_second; /* thread */
    uint8_t choice;
    uint8_t slot;
    uint8_t value;
    size_t bytes;
    int16_t distance;
};

struct setting setting_of(const uint8_t *data, size_t bytes);

/* The record at `data`, of STEP_RECORD_BYTES. */
struct step step_of(const uint8_t *data);

/* For target.h. */
size_t step_generate(struct random *random, uint8_t *bytes, size_t most);
void step_change(struct random *random, uint8_t *record, const uint8_t *other);

/* An input of a few ordinary calls and one act on a block of about `bytes`. */
size_t step_generate_one(struct random *random, uint8_t *bytes, enum profile profile,
                         enum act_kind act, unsigned band);

#endif
