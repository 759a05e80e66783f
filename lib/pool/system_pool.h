/* pool=system: the allocator that the program would have without us, which is glibc's unless
 * another library brings one. For a program that must run without this allocator and keeps the
 * preload.
 *
 * What was handed out before its functions were found is ours and stays ours: whose a block is, the
 * page map tells. The functions are found in a constructor of the library, never inside malloc,
 * and are sealed with the settings. */
#ifndef SG_POOL_SYSTEM_POOL_H
#define SG_POOL_SYSTEM_POOL_H

#include "compiler.h"
#include "page_map.h"
#include "policy.h"

struct mallinfo2;

struct system_functions {
    void *(*allocate)(size_t bytes);
    void *(*allocate_zeroed)(size_t count, size_t bytes_each);
    void *(*allocate_aligned)(size_t alignment, size_t bytes);
    void *(*reallocate)(void *object, size_t bytes);
    void (*end)(void *object);
    size_t (*usable_bytes)(void *object);
    /* NULL where it has none */
    int (*trim)(size_t keep_bytes);
    int (*set)(int parameter, int value);
    int (*describe)(int options, void *stream);
    void (*print)(void);
    struct mallinfo2 (*statistics)(void);
};

struct system_pool {
    _Atomic bool is_ready; /* release and acquire: the functions are there */
    struct system_functions call;
};

extern HIDDEN SEALED struct system_pool sg_system_pool;

/* These serve from now on. Before the settings are sealed. */
HIDDEN void sg_system_pool_start(const struct system_functions *found);

/* Whether new blocks come from there. */
static inline bool system_pool_serves(void)
{
    return UNLIKELY(sg_policy.is_system) &&
           atomic_load_explicit(&sg_system_pool.is_ready, memory_order_acquire);
}

/* Whether the block, if it is one, came from there. */
static inline bool system_pool_has(const void *object)
{
    return system_pool_serves() && page_map_lookup((uintptr_t)object) == NULL;
}

#endif
