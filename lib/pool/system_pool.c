#include "system_pool.h"

#include <dlfcn.h>

SEALED struct system_pool sg_system_pool;

/* The next definition behind ours. */
static bool find(const char *name, void *ret_function)
{
    void *found = dlsym(RTLD_NEXT, name);

    __builtin_memcpy(ret_function, &found, sizeof(found));
    return found != NULL;
}

bool sg_system_pool_start(void)
{
    struct system_pool *pool = &sg_system_pool;

    (void)find("malloc_trim", &pool->trim);
    (void)find("mallopt", &pool->set);
    (void)find("malloc_info", &pool->describe);
    (void)find("malloc_stats", &pool->print);
    (void)find("mallinfo2", &pool->statistics);
    if (!find("malloc", &pool->allocate) || !find("calloc", &pool->allocate_zeroed) ||
        !find("memalign", &pool->allocate_aligned) || !find("realloc", &pool->reallocate) ||
        !find("free", &pool->end) || !find("malloc_usable_size", &pool->usable_bytes))
        return false;
    /* Release: pairs with system_pool_serves(). */
    atomic_store_explicit(&pool->is_ready, true, memory_order_release);
    return true;
}
