/* Where the calling thread's own stack ends, and what is to happen when the thread does. */
#ifndef SG_OS_STACK_H
#define SG_OS_STACK_H

#include "compiler.h"

/* An address that surely lies in the stack that the thread was started on, above all its frames:
 * its control block, or for the first thread the words of the kernel behind its arguments. Of two
 * that may be it, the next above `stack`, which is an address inside a frame; 0: none is above. */
HIDDEN uintptr_t sg_os_stack_anchor(uintptr_t stack);

/* Has `at_end(value)` called when the calling thread ends, in its first round of thread-specific
 * destructors: what the program frees later comes after it. False: the thread goes without. Never
 * allocates, whatever number of keys the program has; async-signal-safe but for a first call. */
HIDDEN MUST_USE bool sg_os_at_thread_end(void (*at_end)(void *value), void *value);

#endif
