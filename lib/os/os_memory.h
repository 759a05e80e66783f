/* Address space and physical memory from the kernel. Addresses and sizes are multiples of the OS
 * page unless said otherwise. Nothing here allocates, changes errno, or ends the process: failure
 * is NULL or false, and the caller goes on without. */
#ifndef SG_OS_MEMORY_H
#define SG_OS_MEMORY_H

#include "compiler.h"

/* The kernel's page size; set by sg_os_memory_start(), 4 KiB to 64 KiB. */
extern HIDDEN size_t sg_os_page_bytes;

HIDDEN void sg_os_memory_start(void);

/* Fresh zeroed memory, readable and writable. `hint` may be NULL; it is not binding. */
HIDDEN MUST_USE void *sg_os_map(void *hint, size_t bytes);

/* Address space without access, to be opened in parts by sg_os_commit(). */
HIDDEN MUST_USE void *sg_os_reserve(void *hint, size_t bytes);
HIDDEN MUST_USE bool sg_os_commit(void *address, size_t bytes);
HIDDEN void sg_os_unmap(void *address, size_t bytes);

/* Gives the physical memory back and keeps the addresses: true means that they read as zero from
 * now on. Any address and size: only OS pages that lie wholly inside are given back, and false is
 * returned if there are bytes that are not. */
HIDDEN bool sg_os_purge(void *address, size_t bytes);

/* For ever, where the kernel can seal a mapping (Linux 6.10). */
HIDDEN MUST_USE bool sg_os_make_read_only(void *address, size_t bytes);

/* Moves the physical pages of one mapped range to another of the same size without a copy; the old
 * range stays mapped and reads as zero. NOT_MOVED: both are as they were. TARGET_LOST: the contents
 * are where they were, but whether the new range is still mapped, and whose it is, nobody knows. */
enum os_move { OS_MOVED, OS_NOT_MOVED, OS_TARGET_LOST };
HIDDEN MUST_USE enum os_move sg_os_move(void *to, void *from, size_t bytes);

/* A page that the kernel zeroes in each forked child and that a vfork child shares with its
 * parent: so the two can be told apart. NULL if the kernel cannot. */
HIDDEN MUST_USE void *sg_os_map_wiped_on_fork(void);

#endif
