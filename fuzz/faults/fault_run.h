/* A run of calls on the tiers while system calls fail, with every promise that then still holds.
 *
 *   header, 12 bytes    two rules: mask, first, count, error + 128 * closes; then profile, ways,
 *                       is_fresh, one spare
 *   the rest            as ops.h has it */
#ifndef SG_FUZZ_FAULTS_FAULT_RUN_H
#define SG_FUZZ_FAULTS_FAULT_RUN_H

#include "faulty.h"
#include "ops.h"

#define FAULT_HEADER_BYTES 12u

enum fault_profile {
    FAULT_FAST,
    FAULT_HARDENED,
    FAULT_STRICT,
    FAULT_GUARDED, /* hardened, each block by itself */
    FAULT_PROFILES,
};

struct fault_setup {
    struct faulty_rule rules[FAULTY_RULES];
    enum fault_profile profile;
    bool by_mprotect; /* guards as on a kernel that has none */
    bool retries;     /* what failed is asked for again, without faults */
    bool is_fresh;    /* the first calls of the process fail too */
};

struct fault_setup fault_setup_of(const uint8_t *bytes, size_t count);

/* Runs `bytes` as ops.h has them. Ends the process if a promise is broken. */
void fault_run(const struct fault_setup *setup, const uint8_t *bytes, size_t count);

#endif
