/* What lies at an address that never was a block. */
#include "debug_report.h"
#include "os_maps.h"
#include "os_process.h"
#include "page_map.h"
#include "unwind_module.h"

#define USER_BITS 56 /* the largest address space that a kernel gives to programs */

static bool begins(const char *text, const char *beginning)
{
    return __builtin_strncmp(text, beginning, __builtin_strlen(beginning)) == 0;
}

/* Of the calling thread: the mapping that this function's frame lies in. */
static bool is_own_stack(const struct os_mapping *mapping)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    return here >= mapping->start && here < mapping->end;
}

/* What no list of mappings has; maybe there is no list: without /proc or a free descriptor. */
static void unlisted(struct bug *bug, uintptr_t address)
{
    struct module module;

    if (!sg_os_is_readable(address & ~(uintptr_t)7))
        bug->place = BUG_PLACE_UNKNOWN;
    else
        bug->place = sg_module_of(address, &module) ? BUG_PLACE_GLOBAL : BUG_PLACE_MAPPING;
}

static void keep_base_name(struct bug *bug, const char *path)
{
    const char *name = path;

    for (; *path != '\0'; path++)
        if (*path == '/')
            name = path + 1;
    bug->place_name = sg_bug_keep(bug, name, __builtin_strlen(name));
}

void sg_debug_bug_place(struct bug *bug, uintptr_t address)
{
    struct os_mapping mapping;
    struct module module;

    if (address >> USER_BITS != 0)
        bug->place = BUG_PLACE_OVERFLOW;
    else if (page_map_lookup(address) != NULL)
        bug->place = BUG_PLACE_HEAP;
    else if (!sg_os_mapping_at(address, &mapping))
        return unlisted(bug, address);
    else if (is_own_stack(&mapping) || begins(mapping.name, "[stack"))
        bug->place = BUG_PLACE_STACK;
    else if (sg_module_of(address, &module))
        bug->place = BUG_PLACE_GLOBAL;
    else if (begins(mapping.name, "[heap]"))
        bug->place = BUG_PLACE_SYSTEM;
    else
        bug->place = BUG_PLACE_MAPPING;
    if (bug->place == BUG_PLACE_STACK && is_own_stack(&mapping))
        bug->place_thread = bug->thread;
    if ((bug->place == BUG_PLACE_MAPPING || bug->place == BUG_PLACE_GLOBAL) &&
        mapping.name[0] != '\0')
        keep_base_name(bug, mapping.name);
}
