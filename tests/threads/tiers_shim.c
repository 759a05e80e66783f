/* Puts stress.c on the tiers of this library under names of its own, so that a race detector keeps
 * its allocator to itself. The fast paths are those of the interface layer. */
#include "checked_path.h"
#include "fast_path.h"
#include "pool.h"

#include <stdlib.h>

void *sg_test_malloc(size_t bytes);
void *sg_test_calloc(size_t count, size_t bytes);
void *sg_test_realloc(void *block, size_t bytes);
void *sg_test_aligned_alloc(size_t alignment, size_t bytes);
void sg_test_free(void *block);

/* Proves that the race detector is awake: threads write it without any order. */
static int planted;

void *sg_test_malloc(size_t bytes)
{
    if (getenv("SPANGUARD_PLANT_RACE") != NULL)
        planted++;

    void *block = sg_policy.is_checked ? checked_allocate(bytes, SLOT_LIVE_MALLOC)
                                       : fast_allocate(bytes, SLOT_LIVE_MALLOC);

    return block != NULL ? block : sg_pool_allocate(bytes, SLOT_LIVE_MALLOC);
}

void *sg_test_calloc(size_t count, size_t bytes)
{
    return sg_pool_allocate_zeroed(count * bytes);
}

void *sg_test_realloc(void *block, size_t bytes)
{
    if (block == NULL)
        return sg_test_malloc(bytes);
    if (bytes != 0)
        return sg_pool_reallocate(block, bytes, "realloc");
    sg_test_free(block);
    return NULL;
}

void *sg_test_aligned_alloc(size_t alignment, size_t bytes)
{
    return sg_pool_allocate_aligned(alignment, bytes, SLOT_LIVE_ALIGNED);
}

void sg_test_free(void *block)
{
    static const struct end_call ending = {"free", SLOT_LIVE_MALLOC};
    bool freed = sg_policy.is_checked ? checked_free(block, &ending, BYTES_ANY)
                                      : fast_free(block, SLOT_LIVE_MALLOC);

    if (!freed)
        sg_pool_free(block, SLOT_LIVE_MALLOC, "free");
}
