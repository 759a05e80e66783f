/* Faults on slots: those of malloc(0), of partitions, and of spans that lost their memory. */
#include "again.h"
#include "probe.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>

enum { DIED = 128 + SIGSEGV, COUNT = 400, SMALL = 5000, LARGE = 300000, PARTITION = 20 };

#define ONLY_TIERS "sample_bytes=0"

static char *blocks[COUNT];

static char *typed(size_t bytes)
{
    void *(*malloc_typed)(size_t, unsigned);

    *(void **)&malloc_typed = dlsym(RTLD_DEFAULT, "spanguard_malloc_typed");
    REQUIRE(malloc_typed != NULL);
    return malloc_typed(bytes, PARTITION);
}

static char *plain(size_t bytes)
{
    return malloc(opaque(bytes));
}

static void touch(volatile char *address)
{
    *address = 1;
}

/* All blocks come and go; nothing that could stay open for the next stays. */
static void fill_and_empty(char *(*take)(size_t bytes), size_t bytes)
{
    for (int i = 0; i < COUNT; i++)
        REQUIRE((blocks[i] = take(bytes)) != NULL);
    for (int i = 0; i < COUNT; i++)
        free(blocks[i]);
    malloc_trim(0);
}

BODY(writes_to_a_block_of_no_bytes)
{
    touch(plain(0));
}

BODY(writes_to_a_freed_block_of_no_bytes)
{
    char *block = plain(0);

    free(block);
    touch(block);
}

BODY(writes_to_a_typed_block_of_no_bytes)
{
    touch(typed(0));
}

TEST(a_block_of_no_bytes_has_its_end_at_its_start)
{
    static const char *const bodies[] = {"writes_to_a_block_of_no_bytes",
                                         "writes_to_a_freed_block_of_no_bytes",
                                         "writes_to_a_typed_block_of_no_bytes"};

    NOT_OVER_GLIBC();
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        EXPECT(again_reports(bodies[i], ONLY_TIERS, DIED,
                             " P102 heap overflow: fault: WRITE at +0, 0 bytes past the end of a "
                             "block of 0 bytes ("));
}

BODY(writes_to_an_emptied_partition)
{
    fill_and_empty(typed, SMALL);
    touch(blocks[COUNT / 2] + 4);
}

TEST(an_emptied_span_of_a_partition_tells_of_its_freed_block)
{
    NOT_OVER_GLIBC();
    EXPECT(again_reports("writes_to_an_emptied_partition", ONLY_TIERS, DIED,
                         " P201 use after free: fault: WRITE at +4 of a freed block of "));
}

BODY(writes_to_an_emptied_span)
{
    fill_and_empty(plain, SMALL);
    touch(blocks[COUNT / 2]);
}

/* Of the 400 that were freed eight at most are known by their record. */
BODY(writes_to_vacated_room_of_a_partition)
{
    fill_and_empty(typed, LARGE);
    touch(blocks[COUNT / 2]);
}

TEST(memory_that_was_recycled_is_a_stale_pointer)
{
    NOT_OVER_GLIBC();
    EXPECT(again_reports("writes_to_an_emptied_span", ONLY_TIERS ":isolate_classes=1", DIED,
                         " P204 stale pointer: fault: "));
    EXPECT(again_reports("writes_to_vacated_room_of_a_partition", ONLY_TIERS, DIED,
                         " P204 stale pointer: fault: "));
}

BODY(closes_a_page_of_its_own_block)
{
    char *block = plain(3 * 4096);
    char *page = (char *)(((uintptr_t)block + 4095) & ~(uintptr_t)4095);

    REQUIRE(mprotect(page, 4096, PROT_NONE) == 0);
    touch(page);
}

TEST(a_page_that_the_program_closed_is_its_own_affair)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("closes_a_page_of_its_own_block", ONLY_TIERS, DIED, ""));
}
