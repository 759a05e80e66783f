/* The unit that moves between the tiers: free slots, each with the address of its state byte, so
 * that handing one out needs no look-up; encoded wherever they rest. */
#ifndef SG_CENTRAL_CACHE_BATCH_H
#define SG_CENTRAL_CACHE_BATCH_H

#include "entry.h"

#define BATCH_MAX_SLOTS 64u

#endif
