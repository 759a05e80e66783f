/* The books of the tiers against the ledger of the arena: what is said to have no access has none, what is
 * handed out has it, what is said to read as zero does. And what failures may cost: addresses that
 * could not be opened again are lost, each to one failure, and are
 * taken back. */
#ifndef SG_FUZZ_FAULTS_TRUTH_H
#define SG_FUZZ_FAULTS_TRUTH_H

#include "shadow.h"

/* Of every live block and every free run. */
void truth_check(const struct shadow *shadow);

/* Clean runs that can be read hold nothing. */
void truth_check_zero(void);

/* When nothing is live and faults are over: what is lost goes back to the page cache. Fails if more
 * is lost than `most` failures explain. */
void truth_take_back(uint64_t most);

#endif
