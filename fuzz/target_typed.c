/* Partitions: blocks whose addresses never serve another partition, nor the heap.
 *
 *   header   see tuning.h
 *   record, 4 bytes    op, slot, size index, delta and partition
 *
 * Each block keeps its contents and its alignment, zeroed ones are zero, and each page that a block
 * ever lay on is remembered as its partition's, as is each mapping of the kernel: partitions that
 * shared one would be neighbours. At the end no byte of them is live. */
#include "target.h"

#include "arena.h"
#include "lifecycle.h"
#include "page_map.h"
#include "pool.h"
#include "slot.h"
#include "span.h"
#include "tuning.h"
#include "typed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define RECORD_BYTES 4u
#define RECORDS_MAX 256u
#define SLOTS 64u
#define PARTITIONS 4u /* the first is the heap */
#define LIVE_BYTES_MAX (16 * MIB)
#define NOTED_MAX 16384u
#define MAPPINGS_MAX 512u

struct piece {
    unsigned char *memory; /* NULL: the slot is empty */
    size_t bytes;
    unsigned char stamp;
    unsigned partition;
};

struct mapping {
    uintptr_t start;
    uintptr_t end;
    unsigned owner; /* partition and one; 0: nobody's yet */
};

static struct {
    struct piece blocks[SLOTS];
    size_t live_bytes;
    unsigned number;
    uint8_t partition_of[ARENA_BYTES / PAGE_BYTES]; /* of each page, and one; 0: nobody's */
    uint32_t noted[NOTED_MAX];
    size_t noted_count;
    struct mapping mappings[MAPPINGS_MAX];
    size_t mapping_count;
} held;

static _Noreturn void fail(const char *oracle)
{
    fprintf(stderr, "fuzz: %s (typed, record %u)\n", oracle, held.number);
    abort();
}

static void expect(bool condition, const char *oracle)
{
    if (!condition)
        fail(oracle);
}

static system_call *arena;

static long kernel(long number, const long *arguments)
{
    long result = arena(number, arguments);

    if (number == SYS_mmap && result > 0 && held.mapping_count < MAPPINGS_MAX)
        held.mappings[held.mapping_count++] =
            (struct mapping){(uintptr_t)result, (uintptr_t)(result + arguments[1]), 0};
    return result;
}

/* The latest that has the page: it may have been another's before. */
static void note_mapping(uintptr_t page, unsigned partition)
{
    struct mapping *mapping = held.mappings + held.mapping_count;

    while (mapping > held.mappings)
        if ((--mapping)->start <= page && page < mapping->end) {
            expect(mapping->owner == 0 || mapping->owner == partition + 1,
                   "a mapping serves two partitions");
            mapping->owner = partition + 1;
            return;
        }
}

static void note_page(uintptr_t page, unsigned partition)
{
    uint32_t index = (uint32_t)(page % ARENA_BYTES / PAGE_BYTES);

    expect(held.partition_of[index] == 0 || held.partition_of[index] == partition + 1,
           "an address served two partitions");
    if (held.partition_of[index] != 0 || held.noted_count == NOTED_MAX)
        return;
    note_mapping(page, partition);
    held.partition_of[index] = (uint8_t)(partition + 1);
    held.noted[held.noted_count++] = index;
}

static void note_pages(const struct piece *block)
{
    uintptr_t first = (uintptr_t)block->memory;
    uintptr_t last = first + (block->bytes == 0 ? 0 : block->bytes - 1);

    for (uintptr_t page = first / PAGE_BYTES; page <= last / PAGE_BYTES; page++)
        note_page(page * PAGE_BYTES, block->partition);
}

static bool is_filled(const unsigned char *memory, unsigned char byte, size_t bytes)
{
    return bytes == 0 || (memory[0] == byte && memcmp(memory, memory + 1, bytes - 1) == 0);
}

static void begin(struct piece *block, unsigned char *memory, size_t bytes)
{
    expect((uintptr_t)memory % MIN_ALIGNMENT == 0, "a block is not aligned");
    expect(bytes == 0 || arena_has_access(memory, bytes), "a block has no access");
    block->memory = memory;
    block->bytes = bytes;
    block->stamp = (unsigned char)(held.number + 1);
    memset(memory, block->stamp, bytes);
    held.live_bytes += bytes;
    note_pages(block);
}

static void make(struct piece *block, size_t bytes, bool is_zeroed)
{
    unsigned char *memory = is_zeroed ? sg_pool_allocate_typed_zeroed(bytes, block->partition)
                                      : sg_pool_allocate_typed(bytes, block->partition);

    expect(memory != NULL, "there is no memory");
    expect(!is_zeroed || is_filled(memory, 0, bytes), "a zeroed block is not zero");
    begin(block, memory, bytes);
}

static void end(struct piece *block)
{
    const struct span *span = page_map_lookup((uintptr_t)block->memory);
    const slot_state_byte *state = slot_state_of(&span->slots, block->memory);

    expect(is_filled(block->memory, block->stamp, block->bytes), "contents changed");
    expect(state != NULL && slot_state_is_live(load_relaxed(state)), "a block is not live");
    sg_pool_free(block->memory, SLOT_LIVE_MALLOC, "free");
    held.live_bytes -= block->bytes;
    block->memory = NULL;
}

static void resize(struct piece *block, size_t bytes)
{
    size_t kept = bytes < block->bytes ? bytes : block->bytes;
    unsigned char *memory = sg_pool_reallocate(block->memory, bytes, "realloc");

    expect(memory != NULL, "there is no memory");
    expect(is_filled(memory, block->stamp, kept), "realloc lost contents");
    held.live_bytes -= block->bytes;
    begin(block, memory, bytes);
}

static size_t size_of(const uint8_t *record)
{
    static const size_t sizes[] = {16, 48, 496, 1024, 4096, 8192, 40000, 65536, 262144, 600000};
    size_t bytes = sizes[record[2] % (sizeof(sizes) / sizeof(sizes[0]))];

    return bytes - 16 + record[3] % 32;
}

static void perform(const uint8_t *record)
{
    struct piece *block = &held.blocks[record[1] % SLOTS];
    size_t bytes = size_of(record);

    held.number++;
    if (record[0] % 16 == 15) {
        (void)sg_pool_trim(0);
    } else if (block->memory != NULL && record[0] % 4 == 3 && bytes > 0 &&
               held.live_bytes + bytes <= LIVE_BYTES_MAX) {
        resize(block, bytes);
    } else if (block->memory != NULL) {
        end(block);
    } else if (held.live_bytes + bytes <= LIVE_BYTES_MAX) {
        block->partition = record[3] / 32 % PARTITIONS;
        make(block, bytes, record[0] % 4 == 0);
    }
}

static size_t generate(struct random *random, uint8_t *bytes, size_t most)
{
    size_t size = TUNING_BYTES + (1 + random_below(random, 120)) * RECORD_BYTES;
    uint8_t slots = (uint8_t)(1u << (2 + random_below(random, 5)));
    uint8_t size_index = (uint8_t)random_next(random);

    if (size > most)
        size = most;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_next(random);
    for (size_t i = TUNING_BYTES; i + RECORD_BYTES <= size; i += RECORD_BYTES) {
        bytes[i + 1] &= (uint8_t)(slots - 1);
        if (random_below(random, 2) == 0)
            bytes[i + 2] = size_index;
    }
    return size;
}

static void change(struct random *random, uint8_t *record, const uint8_t *other)
{
    unsigned which = random_below(random, RECORD_BYTES);

    record[which] = random_below(random, 2) == 0 ? other[which] : (uint8_t)random_next(random);
}

const struct target target = {
    .name = "typed",
    .header_bytes = TUNING_BYTES,
    .record_bytes = RECORD_BYTES,
    .records_max = RECORDS_MAX,
    .generate = generate,
    .change = change,
};

static void start(const uint8_t *data, size_t bytes)
{
    struct tuning tuning;

    while (held.noted_count > 0)
        held.partition_of[held.noted[--held.noted_count]] = 0;
    memset(held.blocks, 0, sizeof(held.blocks));
    held.live_bytes = 0;
    held.number = 0;
    tuning_read(&tuning, data, bytes);
    held.mapping_count = 0;
    laboratory_begin(&tuning.settings);
    arena = laboratory.kernel;
    laboratory.kernel = kernel;
    lifecycle_start();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct typed_statistics statistics;

    start(data, bytes);
    for (size_t at = TUNING_BYTES; at + RECORD_BYTES <= bytes && held.number < RECORDS_MAX;
         at += RECORD_BYTES)
        perform(data + at);
    for (unsigned slot = 0; slot < SLOTS; slot++)
        if (held.blocks[slot].memory != NULL)
            end(&held.blocks[slot]);
    sg_typed_statistics(&statistics);
    expect(statistics.live_bytes == 0, "at the end a block of a partition lives");
    laboratory_end();
    return 0;
}
