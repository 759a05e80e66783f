/* For processors with AVX2. */
#pragma GCC target("avx2")
#include "copy.h"

#define VECTOR_BYTES 32
#define MOVE sg_copy_move_wide
#define FILL sg_copy_fill_wide
#define STRING_BYTES ((size_t)1 << 20) /* beyond the caches the string instructions win */
#include "vector_loops.inc"
