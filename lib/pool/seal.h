/* Settings and secrets become read-only once they are known: whoever can write anywhere still
 * cannot switch a defence off or learn nothing and set a key. See SEALED in compiler.h. */
#ifndef SG_POOL_SEAL_H
#define SG_POOL_SEAL_H

#include "compiler.h"

/* From here on a write to a SEALED object is a fault, and where the kernel has mseal (Linux 6.10)
 * nobody can undo that. False: not sealed; a library that was linked statically shares pages with
 * the program's own data and is not. */
HIDDEN bool sg_seal(void);

/* Whether all sealed objects, and no others, lie between the marks of seal.c. */
HIDDEN bool sg_seal_is_sorted(void);

#endif
