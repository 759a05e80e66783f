/* Where our own records live: regions of their own at random addresses, between pages without
 * access, never adjacent to memory of the program. */
#ifndef SG_SPAN_METADATA_H
#define SG_SPAN_METADATA_H

#include "compiler.h"
#include "os_lock.h"
#include "units.h"

/* Zeroed memory for ever, aligned to METADATA_CHUNK_BYTES, or NULL. */
HIDDEN MUST_USE void *sg_metadata_map(size_t bytes);

/* Pieces of equal size and natural alignment, from regions that grow as needed. Given back, a
 * chunk's memory returns to the kernel once a few others are kept. Contents are not zeroed. */
#define METADATA_CHUNK_BYTES (32 * KIB)

HIDDEN MUST_USE void *sg_metadata_chunk_take(void);
HIDDEN void sg_metadata_chunk_give(void *chunk);

HIDDEN size_t sg_metadata_mapped_bytes(void);
HIDDEN struct lock *sg_metadata_lock(void);

/* Forgets the free chunks; for a child whose parent was changing them when it forked. */
HIDDEN void sg_metadata_abandon(void);

#endif
