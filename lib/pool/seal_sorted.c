/* Only in the shared library, whose link sorts the sections that seal.c relies on. */
#include "compiler.h"

extern HIDDEN const bool sg_seal_is_sorted;
HIDDEN const bool sg_seal_is_sorted = true;
