/* Whether these functions stand on the debug heap. */
#ifndef SG_POOL_DEBUG_BUILD_H
#define SG_POOL_DEBUG_BUILD_H

#ifndef SG_DEBUG_HEAP
#define SG_DEBUG_HEAP 0
#endif

#endif
