/* The interface of libFuzzer; each target_*.c has these. */
#ifndef SG_FUZZ_TARGET_H
#define SG_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* Runs one input; ends the process if the allocator breaks a promise. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#endif
