/* Pages without access. On Linux 6.13 and later by MADV_GUARD_INSTALL, which splits no mapping and
 * drops the memory under it; elsewhere, for locked memory, and for very long ranges by mprotect,
 * which splits mappings: the kernel allows a process vm.max_map_count of them, so that there are
 * only as many as a budget allows, checked against the kernel's own count. What the budget refuses
 * stays accessible: density is lowered, nothing fails.
 *
 * Addresses and sizes are multiples of the OS page. Thread-safe; nothing allocates. */
#ifndef SG_OS_GUARD_H
#define SG_OS_GUARD_H

#include "compiler.h"

/* `by_mprotect`: as on a kernel without guard madvise. `budget`: most ranges forbidden by
 * mprotect; 0: a quarter of vm.max_map_count, which is read if the kernel lacks guards. Once, at
 * start, before a program forbids itself system calls. */
HIDDEN void sg_os_guard_start(bool by_mprotect, size_t budget);

/* No access until sg_os_allow(). CLOSED_EMPTY: the memory went back, and what is opened again reads
 * as zero. CLOSED: contents may be there still (the kernel keeps locked memory). OPEN: neither the
 * kernel nor the budget allows it; contents may be lost. */
enum os_closed { OS_OPEN, OS_CLOSED, OS_CLOSED_EMPTY };
HIDDEN enum os_closed sg_os_forbid(void *address, size_t bytes);

/* The same for what may not be used at all with access: only the kernel can refuse. */
HIDDEN MUST_USE bool sg_os_forbid_beyond_budget(void *address, size_t bytes);

/* The same by mprotect, and the memory stays: for what is likely to be used again soon. */
HIDDEN MUST_USE bool sg_os_forbid_and_keep(void *address, size_t bytes);

/* As sg_os_forbid(), only where it splits no mapping: for ranges that are many. UNTOUCHED: not even
 * tried. GUARDS_LOST: the kernel refused, contents may be lost, and so may be guards that were in
 * the range before; what is to be used is to be allowed. */
enum os_vacated { OS_VACATED, OS_UNTOUCHED, OS_GUARDS_LOST };
HIDDEN MUST_USE enum os_vacated sg_os_vacate(void *address, size_t bytes);

/* Access again, to a range any parts of which may have been forbidden; what was forbidden reads as
 * zero. False: the kernel refuses, most likely it has no more mappings; some may stay without. */
HIDDEN MUST_USE bool sg_os_allow(void *address, size_t bytes);

struct os_guard_statistics {
    bool splits_mappings; /* the kernel has no guard madvise, or refused it */
    size_t by_mprotect;   /* ranges forbidden by it at most */
    size_t refused;       /* ranges left accessible */
};

HIDDEN void sg_os_guard_statistics(struct os_guard_statistics *ret_statistics);

/* The process's mappings as they are, and the kernel's limit of them; `*ret_used` SIZE_MAX if it
 * cannot be told. Slow. */
HIDDEN void sg_os_map_counts(size_t *ret_used, size_t *ret_limit);

#endif
