/* A recorded workload that touches every tier: small, long and impossible blocks, batches there and
 * back, growth in place and by moving, aligned blocks, calloc on what was used, trims. */
#ifndef SG_FUZZ_FAULTS_SCRIPT_H
#define SG_FUZZ_FAULTS_SCRIPT_H

#include "ops.h"

/* In the form of ops.h; returns how many bytes. */
size_t script_write(uint8_t bytes[OPS_INPUT_BYTES_MAX]);

#endif
