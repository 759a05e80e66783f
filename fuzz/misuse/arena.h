/* The kernel of an input that attacks: memory for objects at addresses that the input decides, a
 * ledger of which OS page has access, keys from the input, and no output but to the child's page. */
#ifndef SG_FUZZ_MISUSE_ARENA_H
#define SG_FUZZ_MISUSE_ARENA_H

#include "compiler.h"

#define ARENA_BYTES ((size_t)4 << 30)
#define ARENA_OS_PAGE_BYTES ((size_t)4096)

/* Where the report goes: a descriptor that nobody has. */
#define ARENA_REPORT_DESCRIPTOR 4242

enum arena_access {
    ARENA_UNMAPPED = 0,
    ARENA_OPEN = 1,
    ARENA_GUARD = 2,     /* by madvise */
    ARENA_FORBIDDEN = 4, /* by mprotect */
};

/* From here on the tiers ask this kernel. `seed` 0: keys are the machine's. */
void arena_start(uint64_t seed);

bool arena_has(uintptr_t address);

/* Whether a byte there can be read and written. */
bool arena_is_open(uintptr_t address);
bool arena_is_open_range(uintptr_t address, size_t bytes);

/* Whether the tiers asked for both at once. */
bool arena_is_one_mapping(uintptr_t one, uintptr_t other);

/* What the tiers wrote to the report's descriptor, since the last arena_said_nothing(). */
const char *arena_said(void);
void arena_said_nothing(void);

#endif
