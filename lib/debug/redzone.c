#include "redzone.h"

static inline uint8_t *start_of(const struct record *record)
{
    return (uint8_t *)load_relaxed(&record->start);
}

/* The first of `length` bytes that is not `expected`; `length` if all are. */
static size_t first_other(const uint8_t *bytes, size_t length, uint8_t expected)
{
    size_t i = 0;

    while (i < length && bytes[i] == expected)
        i++;
    return i;
}

static size_t count_other(const uint8_t *bytes, size_t length, uint8_t expected)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += bytes[i] != expected;
    return count;
}

/* Of `length` bytes at `offset` from the block's start. */
static struct damage damage_of(const struct record *record, int64_t offset, size_t length,
                               uint8_t expected)
{
    const uint8_t *bytes = start_of(record) + offset;

    if (LIKELY(bytes_are(bytes, expected, length)))
        return (struct damage){.expected = expected};
    size_t first = first_other(bytes, length, expected);

    return (struct damage){
        .offset = offset + (int64_t)first,
        .bytes = count_other(bytes + first, length - first, expected),
        .expected = expected,
    };
}

/* Mostly one or two vectors. */
static ALWAYS_INLINE void write_run(uint8_t *to, uint8_t byte, size_t length)
{
    bytes_vector pattern = bytes_of(byte);

    if (UNLIKELY(length - BYTES_VECTOR > BYTES_VECTOR)) {
        bytes_fill(to, byte, length);
        return;
    }
    *(bytes_vector *)to = pattern;
    *(bytes_vector *)(to + length - BYTES_VECTOR) = pattern;
}

void sg_redzone_write(const struct record *record)
{
    uint8_t *start = start_of(record);

    write_run(start - record->front_bytes, REDZONE_FRONT, record->front_bytes);
    write_run(start + record->bytes, REDZONE_BEHIND, record->behind_bytes);
}

struct damage sg_redzone_damage_front(const struct record *record)
{
    return damage_of(record, -(int64_t)record->front_bytes, record->front_bytes, REDZONE_FRONT);
}

struct damage sg_redzone_damage_behind(const struct record *record)
{
    return damage_of(record, (int64_t)record->bytes, record->behind_bytes, REDZONE_BEHIND);
}

static void fill(const struct record *record, uint8_t byte)
{
    uint8_t *start = start_of(record);

    if (LIKELY(record->bytes <= FILL_BYTES_MAX)) {
        bytes_fill(start, byte, record->bytes);
        return;
    }
    bytes_fill(start, byte, FILL_BYTES_MAX / 2);
    bytes_fill(start + record->bytes - FILL_BYTES_MAX / 2, byte, FILL_BYTES_MAX / 2);
}

void sg_fill_freed(const struct record *record)
{
    if (sg_options.free_fill < 256)
        fill(record, (uint8_t)sg_options.free_fill);
}

struct damage sg_fill_damage(const struct record *record)
{
    uint8_t byte = (uint8_t)sg_options.free_fill;

    if (sg_options.free_fill >= 256)
        return (struct damage){.bytes = 0};
    if (record->bytes <= FILL_BYTES_MAX)
        return damage_of(record, 0, record->bytes, byte);
    struct damage damage = damage_of(record, 0, FILL_BYTES_MAX / 2, byte);
    if (damage.bytes == 0)
        damage = damage_of(record, (int64_t)(record->bytes - FILL_BYTES_MAX / 2),
                           FILL_BYTES_MAX / 2, byte);
    return damage;
}

void sg_fill_fresh(const struct record *record, bool zeroed)
{
    if (zeroed)
        bytes_fill(start_of(record), 0, record->bytes);
    else if (sg_options.alloc_fill < 256)
        fill(record, (uint8_t)sg_options.alloc_fill);
}
