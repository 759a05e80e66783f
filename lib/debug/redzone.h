/* The bytes of ours around each block, and what freed blocks are filled with: looked at byte for
 * byte. A pattern that is the same everywhere is easy to read in a report; nobody attacks here. */
#ifndef SG_DEBUG_REDZONE_H
#define SG_DEBUG_REDZONE_H

#include "bytes.h"
#include "options.h"
#include "record.h"

#define REDZONE_FRONT 0x5b
#define REDZONE_BEHIND 0x5c

/* Writes what should be around the block. */
HIDDEN void sg_redzone_write(const struct record *record);

/* Of one or two vectors. */
static ALWAYS_INLINE bytes_vector redzone_other(const uint8_t *bytes, uint8_t byte, size_t length)
{
    bytes_vector pattern = bytes_of(byte);

    return (*(const bytes_vector *)bytes ^ pattern) |
           (*(const bytes_vector *)(bytes + length - BYTES_VECTOR) ^ pattern);
}

/* Whether it is still there: nearly always, so without saying where it is not. */
static inline bool redzone_is_whole(const struct record *record)
{
    const uint8_t *start = (const uint8_t *)load_relaxed(&record->start);
    size_t front = record->front_bytes, behind = record->behind_bytes;

    if (UNLIKELY(front - BYTES_VECTOR > BYTES_VECTOR || behind - BYTES_VECTOR > BYTES_VECTOR))
        return bytes_are(start - front, REDZONE_FRONT, front) &&
               bytes_are(start + record->bytes, REDZONE_BEHIND, behind);
    return bytes_is_zero(redzone_other(start - front, REDZONE_FRONT, front) |
                         redzone_other(start + record->bytes, REDZONE_BEHIND, behind));
}

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

/* The same without where. */
static inline bool fill_is_whole(const struct record *record)
{
    const uint8_t *start = (const uint8_t *)load_relaxed(&record->start);

    if (LIKELY(record->bytes <= FILL_BYTES_MAX) && LIKELY(sg_options.free_fill < 256))
        return bytes_are(start, (uint8_t)sg_options.free_fill, record->bytes);
    return sg_fill_damage(record).bytes == 0;
}

/* Of a fresh block. */
HIDDEN void sg_fill_fresh(const struct record *record, bool zeroed);

#endif
