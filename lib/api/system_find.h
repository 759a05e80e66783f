/* pool=system: where the next allocator behind ours is. */
#ifndef SG_API_SYSTEM_FIND_H
#define SG_API_SYSTEM_FIND_H

#include "compiler.h"

/* From a constructor: asks the dynamic linker, which may allocate. */
HIDDEN void sg_system_find(void);

#endif
