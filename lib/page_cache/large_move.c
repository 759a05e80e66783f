/* The bytes of a large object in its new place. */
#include "large.h"

#include "os_memory.h"

/* From here on moving page tables beats copying; below, the two mappings that each move splits off
 * would not be worth it. Measured with tests/memory/lazy.c. */
#define REMAP_BYTES_MIN (1 * MIB)
#define REMAPS_MAX 8192u

static _Atomic uint32_t remap_count; /* relaxed: a bound that orders nothing */

/* The mappings that moves split off are never joined again; no more than a part of what the kernel
 * allows a process (vm.max_map_count, 65,530 by default) may go into them. */
static bool may_remap(const char *target, const char *source, size_t bytes)
{
    return bytes >= REMAP_BYTES_MIN &&
           (((uintptr_t)target | (uintptr_t)source) & (sg_os_page_bytes - 1)) == 0 &&
           atomic_fetch_add_explicit(&remap_count, 1, memory_order_relaxed) < REMAPS_MAX;
}

bool sg_large_move(struct span *to, struct span *from, size_t bytes)
{
    size_t whole_bytes = bytes & ~(sg_os_page_bytes - 1);
    char *target = (char *)to->slots.base;
    char *source = (char *)from->slots.base;
    enum os_move moved = OS_NOT_MOVED;

    if (may_remap(target, source, bytes))
        moved = sg_os_move(target, source, whole_bytes);
    if (moved == OS_TARGET_LOST)
        return false;
    if (moved == OS_NOT_MOVED)
        whole_bytes = 0;
    __builtin_memcpy(target + whole_bytes, source + whole_bytes, bytes - whole_bytes);
    return true;
}
