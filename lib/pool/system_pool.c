#include "system_pool.h"

SEALED struct system_pool sg_system_pool;

void sg_system_pool_start(const struct system_functions *found)
{
    sg_system_pool.call = *found;
    /* Release: pairs with system_pool_serves(). */
    atomic_store_explicit(&sg_system_pool.is_ready, true, memory_order_release);
}
