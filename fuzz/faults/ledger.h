/* What the kernel was asked to do with each address, call by call: the truth about access, to which
 * the tiers' own books are held. Takes `laboratory.kernel` and passes the calls on to who had it.
 * Ends the process when the tiers speak of addresses that they do not have. */
#ifndef SG_FUZZ_FAULTS_LEDGER_H
#define SG_FUZZ_FAULTS_LEDGER_H

#include "compiler.h"

/* Before the first call of the tiers in this process. */
void ledger_start(void);

/* Looks at calls that fail, from the hook that lets them: they change nothing, but what could not
 * be closed is open with an excuse. */
void ledger_note_failure(long number, const long *arguments);

/* Of all bytes [from, end): mapped, and can be read and written. */
MUST_USE bool ledger_is_open(uintptr_t from, uintptr_t end);

/* No byte can be. `excused`: or the kernel was asked for that and refused. */
MUST_USE bool ledger_is_closed(uintptr_t from, uintptr_t end, bool excused);

/* Each of our pages of `step` bytes, in no order. */
void ledger_each(size_t step, void (*visit)(uintptr_t page));

/* Requests to take access away by mprotect that failed, since the process began. */
uint64_t ledger_refused(void);

#endif
