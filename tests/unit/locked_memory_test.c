/* Locked memory cannot be given back: the kernel refuses, and nothing may be called zero then. */
#include "pool.h"
#include "test.h"

#include <string.h>
#include <sys/mman.h>

#define COUNT 200
#define BYTES 20000

static void free_block(void *block)
{
    sg_pool_free(block, SLOT_LIVE_MALLOC, "free");
}

static bool is_zero(const char *block, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (block[i] != 0)
            return false;
    return true;
}

/* Written, freed around survivors, swept, and asked for by calloc again. */
TEST(memory_that_the_kernel_kept_is_not_called_zero)
{
    static char *blocks[COUNT];
    char *large;

    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        printf("# not allowed to lock memory: nothing to see\n");
        return;
    }
    for (int i = 0; i < COUNT; i++)
        memset(blocks[i] = sg_pool_allocate(BYTES, SLOT_LIVE_MALLOC), 0xff, BYTES);
    memset(large = sg_pool_allocate(8 * BYTES * 8, SLOT_LIVE_MALLOC), 0xff, 8 * BYTES * 8);
    free_block(large);
    for (int i = 0; i < COUNT; i++)
        if (i % 7 != 0)
            free_block(blocks[i]);
    sg_pool_trim(0);
    for (int i = 0; i < COUNT; i++) {
        if (i % 7 == 0)
            continue;
        blocks[i] = sg_pool_allocate_zeroed(BYTES);
        EXPECT(is_zero(blocks[i], BYTES));
    }
    EXPECT(is_zero(large = sg_pool_allocate_zeroed(8 * BYTES * 8), 8 * BYTES * 8));
    munlockall();
}

/* As many as are freed before the room of one is vacant, and some more. */
TEST(nor_is_that_of_a_partition)
{
    enum { LARGE = 300000, TIMES = 40 };

    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        printf("# not allowed to lock memory: nothing to see\n");
        return;
    }
    for (int i = 0; i < TIMES; i++) {
        char *block = sg_pool_allocate_typed_zeroed(LARGE, 3);

        EXPECT(block != NULL && is_zero(block, LARGE));
        memset(block, 0xff, LARGE);
        free_block(block);
    }
    munlockall();
}
