/* Blocks that nobody can reach any more. A tracer child stops all threads (ptrace), reads their
 * registers, stacks and thread-local storage, the modules' writable data, and from there every
 * reachable block, conservatively: any aligned word that is an address inside a live block counts.
 * After LeakSanitizer (Serebryany and others). */
#ifndef SG_DEBUG_LEAK_H
#define SG_DEBUG_LEAK_H

#include "bug.h"

/* Fills the LEAK fields of `bug`, true if there are leaks that no suppression names. False also if
 * it cannot be told (ptrace is refused, no memory): then `*ret_why` says why, else it is NULL.
 * `suppressions`: text of lines `leak:PATTERN` with * as wildcard, matched against function, file
 * and module of any frame; NULL: none. Allocates nothing from the heap that it looks at. */
HIDDEN bool sg_leak_find(struct bug *bug, const char *suppressions, const char **ret_why);

/* The text of such a file, to stay for ever; NULL: a notice says why it does not count. */
HIDDEN MUST_USE const char *sg_leak_read_suppressions(const char *path);

#endif
