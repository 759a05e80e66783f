/* How blocks end: for the files of the pool. */
#ifndef SG_POOL_POOL_END_H
#define SG_POOL_POOL_END_H

#include "verdict.h"

/* Two threads at one large block: the one that comes second is told. */
HIDDEN void sg_pool_claim(const struct block *block, const void *object, const char *function);

/* A block that is proven. */
HIDDEN void sg_pool_end(const struct block *block, void *object, const char *function);

/* The same of a partition or large; if it is large, claimed. */
HIDDEN void sg_pool_end_claimed(const struct block *block, void *object, const char *function);

#endif
