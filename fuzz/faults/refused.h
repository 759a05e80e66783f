/* What calls that were refused leave behind, page by page: the arena was never asked and knows
 * nothing of them. What could not be closed is open with an excuse; what could not be unmapped is
 * nobody's any more. For the hook that refuses. */
#ifndef SG_FUZZ_FAULTS_REFUSED_H
#define SG_FUZZ_FAULTS_REFUSED_H

#include "compiler.h"

/* After laboratory_begin(). */
void refused_start(void);

/* A call is about to be answered by the arena, or about to fail. Ends the process if it speaks of
 * memory that the tiers do not have. */
void refused_note_call(long number, const long *arguments);
void refused_note_failure(long number, const long *arguments);

/* Of the page at the address, in the arena. */
bool refused_to_close(uintptr_t page);
bool refused_to_unmap(uintptr_t page);

/* Requests to take access away by mprotect that failed, since the start. */
uint64_t refused_closings(void);

/* Faults are over: what could not be unmapped is. */
void refused_end(void);

#endif
