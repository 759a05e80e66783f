#include "check.h"

#include <dlfcn.h>

/* See hardening/without.h, which this library does not share. */
#ifndef SG_WITHOUT_COPY
#define SG_WITHOUT_COPY 0
#endif

#pragma weak _dl_find_object

struct copy_machine sg_copy_machine;

/* Reads are checked unless a program, or a library in it, exports this with the value false. */
extern EXPORT const bool spanguard_copy_reads __attribute__((weak));

static __attribute__((constructor)) void prepare(void)
{
    __builtin_cpu_init();
    sg_copy_machine.has_wide_vectors = __builtin_cpu_supports("avx2");
    sg_copy_machine.checks_reads = &spanguard_copy_reads == NULL || spanguard_copy_reads;
}

/* Lock-free and safe in signal handlers, unlike dladdr. Before glibc 2.35 there is no such thing,
 * and the allocator's own calls are not told apart. */
static bool is_allocator(const void *caller)
{
    struct dl_find_object theirs, ours;

    if (_dl_find_object == NULL || _dl_find_object((void *)caller, &theirs) != 0 ||
        _dl_find_object((void *)(uintptr_t)spanguard_block_room, &ours) != 0)
        return false;
    return theirs.dlfo_link_map == ours.dlfo_link_map;
}

static void refuse(const char *function, const void *address, size_t bytes, bool is_write)
{
    if (spanguard_report_copy != NULL)
        spanguard_report_copy(function, address, bytes, is_write);
    __builtin_trap(); /* an allocator that knows rooms and cannot report */
}

void sg_copy_refuse_write(const char *function, const void *to, size_t bytes, const void *caller)
{
    if (!SG_WITHOUT_COPY && !is_allocator(caller))
        refuse(function, to, bytes, true);
}

void sg_copy_refuse_read(const char *function, const void *from, size_t bytes, const void *caller)
{
    if (!SG_WITHOUT_COPY && !is_allocator(caller))
        refuse(function, from, bytes, false);
}
