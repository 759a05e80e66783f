/* How many bytes the instruction that faulted was to read or write. */
#ifndef SG_DEBUG_ACCESS_H
#define SG_DEBUG_ACCESS_H

#include "compiler.h"

/* 0: not told. `pc` is that of the fault, so its first byte is readable; of the rest each byte is
 * looked at only if it is. */
HIDDEN uint32_t sg_access_bytes(uintptr_t pc);

/* The same of an instruction's bytes; for tests. */
#define ACCESS_CODE_BYTES 15
HIDDEN uint32_t sg_access_of_code(const uint8_t code[ACCESS_CODE_BYTES]);

#endif
