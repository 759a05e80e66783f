/* The bounds that the tiers keep: on memory that is held back, on what each thread may cache, on
 * records of ours; and how long what was freed stays away. Nobody outside could tell. */
#ifndef SG_FUZZ_BOUNDS_H
#define SG_FUZZ_BOUNDS_H

#include "shadow.h"

/* Forgets what was seen of the input before. */
void bounds_start(void);

/* With walk_check(). One thread. */
void bounds_check(const struct shadow *shadow);

/* With walk_end(), everything trimmed: nothing is held back any more. */
void bounds_check_end(void);

/* Of records of ours there are those that are needed for what is held. */
void bounds_check_records(void);

/* Around a call that makes a block of `bytes` by malloc: it is none of those in quarantine. */
void bounds_before_malloc(size_t bytes);
void bounds_after_malloc(unsigned slot);

/* What was freed just now is not what comes next. */
void bounds_after_free(const void *block, unsigned slot);

#endif
