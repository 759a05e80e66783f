/* The records of the tiers themselves, alone: the object pool on its metadata regions.
 *
 *   header, 8 bytes    byte 0: place of the arena; the rest: seed
 *   record, 4 bytes    op, size, count, which
 *
 * Many are taken and given, until chunks fill, empty and go, and regions end. Each record is
 * written wholly and must keep that; at the end the pool says that it holds none. */
#include "target.h"

#include "arena.h"
#include "laboratory.h"
#include "metadata.h"
#include "object_pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 8u
#define RECORD_BYTES 4u
#define RECORDS_MAX 64u
#define OBJECTS_MAX 8192u
#define TAKEN_BYTES_MAX (8 * MIB)
#define CHUNK_KIND (OBJECT_POOL_MAX_BYTES + 1) /* as a size: a chunk, without the pool */

struct object {
    unsigned char *memory;
    size_t bytes;
    unsigned char stamp;
};

static struct {
    struct object objects[OBJECTS_MAX];
    size_t count;
    size_t bytes;
    unsigned number;
} held;

static _Noreturn void fail(const char *oracle)
{
    fprintf(stderr, "fuzz: %s (records, record %u)\n", oracle, held.number);
    abort();
}

static void expect(bool condition, const char *oracle)
{
    if (!condition)
        fail(oracle);
}

static size_t size_of(uint8_t byte)
{
    static const size_t sizes[] = {64,   128,  216,  448,  1024, 1536,
                                   2048, 3584, 5184, 7168, 8192, CHUNK_KIND};

    return byte < 128 ? sizes[byte % (sizeof(sizes) / sizeof(sizes[0]))] : 1 + byte * 8u;
}

static size_t true_bytes(size_t bytes)
{
    return bytes == CHUNK_KIND ? METADATA_BLOCK_BYTES : bytes;
}

static void take(size_t bytes)
{
    struct object *object = &held.objects[held.count];

    if (held.count == OBJECTS_MAX || held.bytes + true_bytes(bytes) > TAKEN_BYTES_MAX)
        return;
    object->memory = bytes == CHUNK_KIND ? sg_metadata_take(METADATA_BLOCK)
                                         : sg_object_pool_take(bytes);
    expect(object->memory != NULL, "there is no memory for a record");
    object->bytes = bytes;
    object->stamp = (unsigned char)(held.count * 31 + held.number + 1);
    expect((uintptr_t)object->memory % 64 == 0, "a record is not aligned");
    expect(arena_has_access(object->memory, true_bytes(bytes)), "a record has no access");
    memset(object->memory, object->stamp, true_bytes(bytes));
    held.bytes += true_bytes(bytes);
    held.count++;
}

static void verify(const struct object *object)
{
    size_t bytes = true_bytes(object->bytes);

    expect(object->memory[0] == object->stamp &&
               memcmp(object->memory, object->memory + 1, bytes - 1) == 0,
           "the contents of a record changed");
}

static void give(size_t index)
{
    struct object object = held.objects[index];

    verify(&object);
    held.objects[index] = held.objects[--held.count];
    held.bytes -= true_bytes(object.bytes);
    if (object.bytes == CHUNK_KIND)
        sg_metadata_give(METADATA_BLOCK, object.memory);
    else
        sg_object_pool_give(object.memory, object.bytes);
}

static void perform(const uint8_t *record)
{
    size_t count = 1 + (size_t)record[2] * record[2] / 32;

    held.number++;
    for (size_t i = 0; i < count; i++) {
        if (record[0] % 8 < 5)
            take(size_of(record[1]));
        else if (held.count > 0)
            give(record[0] % 8 == 5   ? held.count - 1
                 : record[0] % 8 == 6 ? 0
                                      : (record[3] * 257u + i * 7) % held.count);
    }
}

static size_t generate(struct random *random, uint8_t *bytes, size_t most)
{
    size_t records = 1 + random_below(random, 24);
    size_t size = HEADER_BYTES + records * RECORD_BYTES;
    uint8_t favourite = (uint8_t)random_below(random, 128);

    if (size > most)
        size = most;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_next(random);
    for (size_t i = HEADER_BYTES; i + RECORD_BYTES <= size; i += RECORD_BYTES) {
        if (random_below(random, 2) == 0)
            bytes[i + 1] = favourite;
        if (random_below(random, 2) == 0)
            bytes[i + 2] &= 0x3f;
    }
    return size;
}

static void change(struct random *random, uint8_t *record, const uint8_t *other)
{
    unsigned which = random_below(random, RECORD_BYTES);

    record[which] = random_below(random, 2) == 0 ? other[which] : (uint8_t)random_next(random);
}

const struct target target = {
    .name = "records",
    .header_bytes = HEADER_BYTES,
    .record_bytes = RECORD_BYTES,
    .records_max = RECORDS_MAX,
    .generate = generate,
    .change = change,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct laboratory_settings settings = {.base = bytes > 0 ? data[0] : 0};

    memcpy(&settings.seed, data, bytes < sizeof(settings.seed) ? bytes : sizeof(settings.seed));
    memset(&held, 0, sizeof(held));
    laboratory_begin(&settings);
    size_t live_bytes = sg_object_pool_live_bytes();
    for (size_t at = HEADER_BYTES; at + RECORD_BYTES <= bytes && held.number < RECORDS_MAX;
         at += RECORD_BYTES)
        perform(data + at);
    while (held.count > 0)
        give(held.count - 1);
    expect(sg_object_pool_live_bytes() == live_bytes, "records are counted that nobody has");
    laboratory_end();
    return 0;
}
