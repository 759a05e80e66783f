/* The attacker writes where it may not, byte by byte, until it is done or dies of it. */
#ifndef SG_FUZZ_MISUSE_STRIKE_H
#define SG_FUZZ_MISUSE_STRIKE_H

#include "victim.h"

struct strike {
    char *from;
    size_t bytes;
    bool downwards;
    uint8_t value;
    int act;
};

/* Settles the act unless somebody has yet to look. */
void strike(const struct strike *strike);

/* A fault at the address: of the strike under way, and where there is no access? Then whether what
 * is said of it is true; if so the act is settled, else the input ends. */
void strike_judge_fault(uintptr_t address, const void *context);

#endif
