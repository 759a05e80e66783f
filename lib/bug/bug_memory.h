/* The bytes that a report carries, by their place in them. */
#ifndef SG_BUG_BUG_MEMORY_H
#define SG_BUG_BUG_MEMORY_H

#include "bug.h"

static inline uint32_t memory_count(const struct bug_memory *memory)
{
    return memory->count < BUG_MEMORY_BYTES ? memory->count : BUG_MEMORY_BYTES;
}

static inline bool memory_is_readable(const struct bug_memory *memory, uint32_t i)
{
    return i < memory_count(memory) && (memory->readable >> i & 1) != 0;
}

static inline bool memory_is_changed(const struct bug_memory *memory, uint32_t i)
{
    return memory_is_readable(memory, i) && (memory->changed >> i & 1) != 0;
}

/* Where the byte at this offset of the block is; BUG_MEMORY_BYTES: it was not read. */
static inline uint32_t memory_index(const struct bug_memory *memory, int64_t offset)
{
    uint64_t i = (uint64_t)offset - (uint64_t)memory->offset;

    return i < BUG_MEMORY_BYTES && memory_is_readable(memory, (uint32_t)i) ? (uint32_t)i
                                                                           : BUG_MEMORY_BYTES;
}

static inline bool byte_is_text(uint8_t byte)
{
    return (byte >= 0x20 && byte < 0x7f) || byte == '\t' || byte == '\n';
}

#endif
