#include <stdbool.h>

extern const bool spanguard_copy_reads;
const bool spanguard_copy_reads = READS;
