/* The kernel of an input that attacks: memory for objects at addresses that the input decides, a
 * ledger of which OS page has access, keys from the input, and no output but to the child's page. */
#ifndef SG_FUZZ_MISUSE_MACHINE_H
#define SG_FUZZ_MISUSE_MACHINE_H

#include "compiler.h"

#define MACHINE_BYTES ((size_t)4 << 30)
#define MACHINE_OS_PAGE_BYTES ((size_t)4096)

/* Where the report goes: a descriptor that nobody has. */
#define MACHINE_REPORT_DESCRIPTOR 4242

enum machine_access {
    MACHINE_UNMAPPED = 0,
    MACHINE_OPEN = 1,
    MACHINE_GUARD = 2,     /* by madvise */
    MACHINE_FORBIDDEN = 4, /* by mprotect */
};

/* From here on the tiers ask this kernel. `seed` 0: keys are the machine's. */
void machine_start(uint64_t seed);

bool machine_has(uintptr_t address);

/* Whether a byte there can be read and written. */
bool machine_is_open(uintptr_t address);
bool machine_is_open_range(uintptr_t address, size_t bytes);

/* Whether the tiers asked for both at once. */
bool machine_is_one_mapping(uintptr_t one, uintptr_t other);

/* What the tiers wrote to the report's descriptor, since the last machine_said_nothing(). */
const char *machine_said(void);
void machine_said_nothing(void);

#endif
