/* Faults: told before the program meets them as it would have without us. */
#ifndef SG_OS_FAULT_H
#define SG_OS_FAULT_H

#include "compiler.h"

/* Installs a handler of SIGSEGV unless the program has one or ignores it; one that the program
 * installs later replaces ours. `on_fault` runs in the signal handler, with the address, whether it
 * was to be written (false where the processor does not tell), and the ucontext_t. Then the
 * instruction faults again, with what was there before us. Once, from a constructor. */
HIDDEN void sg_os_fault_start(void (*on_fault)(uintptr_t address, bool is_write,
                                               const void *context));

/* Whether the processor does not say which address it was, because it is none at all; the handler
 * is given 0 then, as it is for a fault at 0. */
HIDDEN bool sg_os_fault_hides_address(const void *context);

/* The general registers of a signal's ucontext_t, in no order that matters; how many there are. */
#define OS_REGISTERS_MOST 31
HIDDEN size_t sg_os_fault_registers(const void *context, uint64_t registers[OS_REGISTERS_MOST]);

/* Where the instruction lies that a signal's ucontext_t is of; 0: not told on this processor. */
HIDDEN uintptr_t sg_os_fault_pc(const void *context);

#endif
