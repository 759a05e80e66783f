/* A fault on memory of ours - a guard, a freed large object, malloc(0) - is reported in one line
 * before the program dies of it as it would have without us. */
#ifndef SG_POOL_FAULT_H
#define SG_POOL_FAULT_H

#include "compiler.h"

/* Installs the handler of SIGSEGV if the program has none; one that it installs later replaces
 * ours. Once, from a constructor. */
HIDDEN void sg_fault_start(void);

/* For tests: what is said about an access to the address; false: nothing of ours is there. */
HIDDEN bool sg_fault_describe(uintptr_t address, bool is_write, const void *context);

#endif
