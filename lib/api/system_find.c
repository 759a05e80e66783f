#include "system_find.h"

#include "lifecycle.h"
#include "system_pool.h"

#include <dlfcn.h>

/* The next definition behind ours. */
static bool find(const char *name, void *ret_function)
{
    void *found = dlsym(RTLD_NEXT, name);

    __builtin_memcpy(ret_function, &found, sizeof(found));
    return found != NULL;
}

void sg_system_find(void)
{
    struct system_functions all;

    lifecycle_start();
    if (!sg_policy.is_system)
        return;
    (void)find("malloc_trim", &all.trim);
    (void)find("mallopt", &all.set);
    (void)find("malloc_info", &all.describe);
    (void)find("malloc_stats", &all.print);
    (void)find("mallinfo2", &all.statistics);
    bool complete = find("malloc", &all.allocate) && find("calloc", &all.allocate_zeroed) &&
                    find("memalign", &all.allocate_aligned) && find("realloc", &all.reallocate) &&
                    find("free", &all.end) && find("malloc_usable_size", &all.usable_bytes);
    sg_lifecycle_serve_by_system(complete ? &all : NULL);
}
