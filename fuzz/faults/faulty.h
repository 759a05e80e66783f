/* System calls that fail when the input says so: `laboratory.fault`. A rule names kinds of calls,
 * the first of them to fail, how many fail, and how. */
#ifndef SG_FUZZ_FAULTS_FAULTY_H
#define SG_FUZZ_FAULTS_FAULTY_H

#include "compiler.h"

enum faulty_call {
    FAULTY_MMAP,
    FAULTY_MUNMAP,
    FAULTY_MPROTECT,
    FAULTY_DONTNEED,
    FAULTY_GUARD,   /* MADV_GUARD_INSTALL */
    FAULTY_UNGUARD, /* MADV_GUARD_REMOVE  */
    FAULTY_MREMAP,
    FAULTY_GETRANDOM,
    FAULTY_CALLS,
};

#define FAULTY_FOR_EVER UINT32_MAX
#define FAULTY_SHORT 0 /* as an error: getrandom gives half of what it was asked for */
#define FAULTY_RULES 2u

struct faulty_rule {
    uint8_t mask;   /* bit i: the kind i */
    uint32_t first; /* the number of the first call to fail, from 1 on; 0: none does */
    uint32_t count;
    int error;   /* errno */
    bool closes; /* of mprotect only calls that take access away: they split mappings */
};

/* Takes `laboratory.fault`; after laboratory_begin(). Numbers count from here on, while not paused. */
void faulty_start(const struct faulty_rule *rules, unsigned count);

/* No call fails any more, and what could not be unmapped is. */
void faulty_stop(void);

/* In between no call fails and none is counted. */
void faulty_pause(void);
void faulty_resume(void);

/* Since the start: calls that failed, of all kinds in the mask. */
uint64_t faulty_failures(unsigned mask);

/* The errors that the kernel has for a call of this kind, FAULTY_SHORT among them; ends with -1. */
const int *faulty_errors(enum faulty_call call);

#endif
