/* Partitions, for programs that link us. */
#include "api_errors.h"
#include "pool.h"
#include "spanguard/spanguard.h"

EXPORT void *spanguard_malloc_typed(size_t bytes, unsigned partition)
{
    if (!sg_pool_is_partition(partition)) {
        errno = EINVAL;
        return NULL;
    }
    return or_no_memory(sg_pool_allocate_typed(bytes, partition));
}

EXPORT void *spanguard_calloc_typed(size_t count, size_t bytes_each, unsigned partition)
{
    size_t bytes;

    if (!sg_pool_is_partition(partition)) {
        errno = EINVAL;
        return NULL;
    }
    if (__builtin_mul_overflow(count, bytes_each, &bytes))
        return or_no_memory(NULL);
    return or_no_memory(sg_pool_allocate_typed_zeroed(bytes, partition));
}
