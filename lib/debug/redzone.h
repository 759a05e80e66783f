/* The bytes of ours around each block, and what freed blocks are filled with: looked at byte for
 * byte. A pattern that is the same everywhere is easy to read in a report; nobody attacks here. */
#ifndef SG_DEBUG_REDZONE_H
#define SG_DEBUG_REDZONE_H

#include "record.h"

#define REDZONE_FRONT 0x5b
#define REDZONE_BEHIND 0x5c

/* Writes what should be around the block. */
HIDDEN void sg_redzone_write(const struct record *record);

/* Where bytes differ from what they should be: the first of them, and how many. */
struct damage {
    int64_t offset; /* of the first from the block's start */
    uint64_t bytes; /* 0: none */
    uint8_t expected;
};

HIDDEN struct damage sg_redzone_damage_front(const struct record *record);
HIDDEN struct damage sg_redzone_damage_behind(const struct record *record);

/* Of a freed block: fills it, and looks for what was written since. Long blocks only at their
 * first and last FILL_BYTES_MAX / 2 bytes. */
#define FILL_BYTES_MAX ((size_t)1 << 20)
HIDDEN void sg_fill_freed(const struct record *record);
HIDDEN struct damage sg_fill_damage(const struct record *record);

/* Of a fresh block. */
HIDDEN void sg_fill_fresh(const struct record *record, bool zeroed);

#endif
