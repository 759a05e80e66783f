/* Where our own records live: regions of their own at random addresses, between pages without
 * access, never adjacent to memory of the program. */
#ifndef SG_SPAN_METADATA_H
#define SG_SPAN_METADATA_H

#include "compiler.h"
#include "os_lock.h"
#include "units.h"

/* Zeroed memory for ever, aligned to METADATA_BLOCK_BYTES, or NULL. */
HIDDEN MUST_USE void *sg_metadata_map(size_t bytes);

/* The same, aligned to a larger power of two. */
HIDDEN MUST_USE void *sg_metadata_map_aligned(size_t bytes, size_t alignment);

/* Chunks come in two sizes, each aligned to its size. One of these given back returns its memory
 * to the kernel once a few others are kept; so the smaller kind, for small records, follows more
 * closely what is in use. Contents are not zeroed. */
enum metadata_kind { METADATA_SMALL, METADATA_BLOCK, METADATA_KINDS };

#define METADATA_SMALL_BYTES (8 * KIB)
#define METADATA_BLOCK_BYTES (32 * KIB)

HIDDEN MUST_USE void *sg_metadata_take(enum metadata_kind kind);
HIDDEN void sg_metadata_give(enum metadata_kind kind, void *chunk);

HIDDEN size_t sg_metadata_mapped_bytes(void);
HIDDEN struct lock *sg_metadata_lock(void);

/* Forgets the free chunks; for a child whose parent was changing them when it forked. */
HIDDEN void sg_metadata_abandon(void);

#endif
