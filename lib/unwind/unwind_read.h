/* Bounded reading of the loader's tables. What would go beyond the end reads as 0 and is noted;
 * whoever read asks once, at the end. */
#ifndef SG_UNWIND_UNWIND_READ_H
#define SG_UNWIND_UNWIND_READ_H

#include "compiler.h"

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline uint64_t read_fixed(struct reader *reader, size_t bytes)
{
    uint64_t value = 0;

    if ((size_t)(reader->end - reader->at) < bytes) {
        reader->at = reader->end;
        reader->failed = true;
        return 0;
    }
    __builtin_memcpy(&value, reader->at, bytes); /* both machines are little-endian */
    reader->at += bytes;
    return value;
}

static inline int64_t read_signed(struct reader *reader, size_t bytes)
{
    unsigned unused_bits = 64 - 8 * (unsigned)bytes;

    return (int64_t)(read_fixed(reader, bytes) << unused_bits) >> unused_bits;
}

static inline uint64_t read_leb(struct reader *reader, unsigned *ret_bits)
{
    uint64_t value = 0;
    unsigned bits = 0;
    uint8_t byte;

    do {
        byte = (uint8_t)read_fixed(reader, 1);
        if (bits < 64)
            value |= (uint64_t)(byte & 0x7f) << bits;
        bits += 7;
    } while ((byte & 0x80) != 0);
    *ret_bits = byte & 0x40 ? bits : 64; /* where a sign would have to be extended from */
    return value;
}

static inline uint64_t read_uleb(struct reader *reader)
{
    unsigned bits;

    return read_leb(reader, &bits);
}

static inline int64_t read_sleb(struct reader *reader)
{
    unsigned bits;
    uint64_t value = read_leb(reader, &bits);

    return (int64_t)(bits < 64 ? value | ~(uint64_t)0 << bits : value);
}

static inline void read_skip(struct reader *reader, uint64_t bytes)
{
    if (bytes > (size_t)(reader->end - reader->at)) {
        reader->failed = true;
        bytes = (size_t)(reader->end - reader->at);
    }
    reader->at += bytes;
}

#endif
