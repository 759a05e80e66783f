#include "metadata.h"
#include "object_pool.h"
#include "os_process.h"
#include "secrets.h"
#include "test.h"

#include <string.h>
#include <sys/mman.h>

#define COUNT 20000

static void *objects[COUNT];

static size_t resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return (size_t)pages * 4096;
}

TEST(records_of_all_sizes_are_apart_and_aligned)
{
    sg_secrets_start(true);
    for (size_t bytes = 1; bytes <= OBJECT_POOL_MAX_BYTES; bytes += 97) {
        char *first = sg_object_pool_take(bytes), *second = sg_object_pool_take(bytes);

        EXPECT(first != NULL && second != NULL);
        EXPECT((uintptr_t)first % 64 == 0);
        EXPECT(first + bytes <= second || second + bytes <= first);
        memset(first, 1, bytes);
        memset(second, 2, bytes);
        EXPECT(first[bytes - 1] == 1);
        sg_object_pool_give(first, bytes);
        sg_object_pool_give(second, bytes);
    }
    EXPECT_EQUAL(sg_object_pool_live_bytes(), 0);
}

TEST(a_given_record_is_taken_again)
{
    void *first = sg_object_pool_take(64), *other = sg_object_pool_take(64);

    sg_object_pool_give(first, 64);
    EXPECT(sg_object_pool_take(64) == first);
    sg_object_pool_give(first, 64);
    sg_object_pool_give(other, 64);
}

TEST(memory_of_records_that_are_gone_goes_back)
{
    size_t before = resident_bytes(), peak;

    for (int i = 0; i < COUNT; i++) {
        objects[i] = sg_object_pool_take(512);
        EXPECT(objects[i] != NULL);
        memset(objects[i], 7, 512);
    }
    peak = resident_bytes();
    for (int i = 0; i < COUNT; i++)
        sg_object_pool_give(objects[i], 512);
    EXPECT(peak > before + COUNT * 512 / 2);
    EXPECT(resident_bytes() < before + MIB);
    EXPECT_EQUAL(sg_object_pool_live_bytes(), 0);
}

static void write_before(void)
{
    char *memory = sg_metadata_map(PAGE_BYTES);

    fputs("going", stderr);
    fflush(stderr);
    memory[-1] = 1;
}

static void write_behind(void)
{
    char *memory = sg_metadata_map(PAGE_BYTES);

    fputs("going", stderr);
    fflush(stderr);
    memory[PAGE_BYTES] = 1;
}

TEST(metadata_lies_between_pages_without_access)
{
    EXPECT(test_dies_saying(write_before, "going"));
    EXPECT(test_dies_saying(write_behind, "going"));
}

TEST(metadata_can_be_aligned_to_more_and_lies_between_guards_then_too)
{
    for (size_t alignment = 1; alignment <= 8 * MIB; alignment *= 2) {
        char *memory = sg_metadata_map_aligned(3 * PAGE_BYTES, alignment);

        EXPECT(memory != NULL && (uintptr_t)memory % alignment == 0);
        EXPECT_EQUAL((uintptr_t)memory % METADATA_BLOCK_BYTES, 0);
        for (size_t i = 0; i < 3 * PAGE_BYTES; i++)
            EXPECT_EQUAL(memory[i], 0);
        memset(memory, 1, 3 * PAGE_BYTES);
        EXPECT(!sg_os_is_readable((uintptr_t)memory - 1));
        EXPECT(!sg_os_is_readable((uintptr_t)memory + 3 * PAGE_BYTES));
    }
}

TEST(metadata_regions_lie_at_random_places)
{
    uintptr_t first = (uintptr_t)sg_metadata_map(PAGE_BYTES);
    uintptr_t second = (uintptr_t)sg_metadata_map(PAGE_BYTES);
    uintptr_t distance = first > second ? first - second : second - first;

    EXPECT(first != 0 && second != 0);
    EXPECT(distance > 64 * MIB); /* adjacent by chance: once in a million runs */
}
