/* For every x86-64. */
#include "copy.h"

#define VECTOR_BYTES 16
#define MOVE sg_copy_move_narrow
#define FILL sg_copy_fill_narrow
#define STRING_BYTES ((size_t)4096) /* without wide vectors the string instructions win early */
#include "vector_loops.inc"
