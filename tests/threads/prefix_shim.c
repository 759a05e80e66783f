/* The names of STRESS_PREFIX over libc's heap: proof that stress.c links in that mode. */
#include <stdlib.h>

void *sg_test_malloc(size_t bytes);
void *sg_test_calloc(size_t count, size_t bytes);
void *sg_test_realloc(void *block, size_t bytes);
void *sg_test_aligned_alloc(size_t alignment, size_t bytes);
void sg_test_free(void *block);

void *sg_test_malloc(size_t bytes)
{
    return malloc(bytes);
}

void *sg_test_calloc(size_t count, size_t bytes)
{
    return calloc(count, bytes);
}

void *sg_test_realloc(void *block, size_t bytes)
{
    return realloc(block, bytes);
}

void *sg_test_aligned_alloc(size_t alignment, size_t bytes)
{
    void *block = NULL; /* race detectors refuse aligned_alloc(64, 10) */

    return posix_memalign(&block, alignment, bytes) == 0 ? block : NULL;
}

void sg_test_free(void *block)
{
    free(block);
}
