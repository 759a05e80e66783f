#include "api_errors.h"
#include "bits.h"
#include "os_memory.h"
#include "pool.h"
#include "units.h"

static void *allocate(size_t alignment, size_t bytes)
{
    return sg_pool_allocate_aligned(alignment, bytes, SLOT_LIVE_ALIGNED);
}

/* Any alignment that is a power of two, any size: C17 asks no more. glibc takes others too. */
EXPORT void *aligned_alloc(size_t alignment, size_t bytes)
{
    if (!is_power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return or_no_memory(allocate(alignment, bytes));
}

/* Does not touch errno, nor `*result` on failure. */
EXPORT int posix_memalign(void **result, size_t alignment, size_t bytes)
{
    if (!is_power_of_two(alignment) || alignment % sizeof(void *) != 0)
        return EINVAL;

    int saved = errno; /* with pool=system libc sets it */
    void *object = allocate(alignment, bytes);
    errno = saved;
    if (object == NULL)
        return ENOMEM;
    *result = object;
    return 0;
}

/* An alignment that is no power of two is rounded up, as glibc does. */
EXPORT void *memalign(size_t alignment, size_t bytes)
{
    if (alignment > MAX_OBJECT_BYTES / 2 + 1) {
        errno = EINVAL;
        return NULL;
    }
    if (!is_power_of_two(alignment))
        alignment = (size_t)1 << log2_ceil(alignment);
    return or_no_memory(allocate(alignment, bytes));
}

EXPORT void *valloc(size_t bytes)
{
    return or_no_memory(allocate(sg_os_page_bytes, bytes));
}

/* Whole OS pages, at least one. */
EXPORT void *pvalloc(size_t bytes)
{
    size_t rounded;

    if (__builtin_add_overflow(bytes == 0 ? 1 : bytes, sg_os_page_bytes - 1, &rounded))
        return or_no_memory(NULL);
    return or_no_memory(allocate(sg_os_page_bytes, align_down(rounded, sg_os_page_bytes)));
}

#define ALIAS(original) EXPORT SAME_ATTRIBUTES(original) __attribute__((alias(#original)))
ALIAS(memalign) void *__libc_memalign(size_t alignment, size_t bytes);
ALIAS(valloc) void *__libc_valloc(size_t bytes);
ALIAS(pvalloc) void *__libc_pvalloc(size_t bytes);
ALIAS(posix_memalign) int __posix_memalign(void **result, size_t alignment, size_t bytes);
