#include "unwind_module.h"

#include "unwind.h"

#include <dlfcn.h>
#include <link.h>

/* Lock-free and async-signal-safe by its documentation; since glibc 2.35. In a static program it
 * is there only if something else needs it. */
#pragma weak _dl_find_object

bool sg_module_of(uintptr_t pc, struct module *ret_module)
{
    struct dl_find_object found;

    if (&_dl_find_object == NULL || _dl_find_object((void *)pc, &found) != 0)
        return false;
    *ret_module = (struct module){
        .start = (uintptr_t)found.dlfo_map_start,
        .end = (uintptr_t)found.dlfo_map_end,
        .eh_index = found.dlfo_eh_frame,
        .name = found.dlfo_link_map == NULL || found.dlfo_link_map->l_name == NULL
                    ? ""
                    : found.dlfo_link_map->l_name,
        .identity = found.dlfo_link_map,
    };
    return true;
}

_Atomic uint64_t sg_module_generation;

void sg_unwind_forget(void)
{
    /* Relaxed: who calls code of the new module got to know of it in some other way, after this. */
    atomic_fetch_add_explicit(&sg_module_generation, 1, memory_order_relaxed);
}
