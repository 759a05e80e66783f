/* pool=guarded: every block lies alone at the end of pages of its own, before a page without
 * access, and loses its pages as soon as it is freed. An access beyond the end or after the free is
 * found at the instruction that does it. After Electric Fence (Perens, 1987); here a block costs an
 * OS page, the room around it, and no mapping where the kernel marks guards.
 *
 * Only malloc(0) is served as always: its blocks have no access anyway. */
#ifndef SG_POOL_GUARDED_POOL_H
#define SG_POOL_GUARDED_POOL_H

#include "compiler.h"
#include "large.h"

/* Whether the request is one for this pool. */
HIDDEN bool sg_guarded_serves(size_t bytes, size_t alignment);

/* `request` in the form of this pool: with a record of who allocates, while there are records. The
 * record is the caller's to end (sample.h) if it gets no object. */
HIDDEN struct large_request sg_guarded_request(struct large_request request);

#endif
