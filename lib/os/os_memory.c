#include "os_memory.h"

#include "bits.h"
#include "os_syscall.h"

#include <sys/auxv.h>
#include <sys/mman.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4 /* since 5.7 */
#endif
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18 /* since 4.14 */
#endif

size_t sg_os_page_bytes = 4096;

void sg_os_memory_start(void)
{
    size_t bytes = getauxval(AT_PAGESZ);

    if (is_power_of_two(bytes))
        sg_os_page_bytes = bytes;
}

/* Accounted as any program's memory is, without MAP_NORESERVE: a request that the kernel would
 * refuse glibc it refuses us. */
static void *map(void *hint, size_t bytes, int protection)
{
    long result = os_syscall6(SYS_mmap, (long)hint, (long)bytes, protection,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return os_failed(result) ? NULL : (void *)result;
}

void *sg_os_map(void *hint, size_t bytes)
{
    return map(hint, bytes, PROT_READ | PROT_WRITE);
}

void *sg_os_reserve(void *hint, size_t bytes)
{
    return map(hint, bytes, PROT_NONE);
}

static bool protect(void *address, size_t bytes, int protection)
{
    return !os_failed(os_syscall3(SYS_mprotect, (long)address, (long)bytes, protection));
}

static bool advise(void *address, size_t bytes, int advice)
{
    return !os_failed(os_syscall3(SYS_madvise, (long)address, (long)bytes, advice));
}

bool sg_os_commit(void *address, size_t bytes)
{
    return protect(address, bytes, PROT_READ | PROT_WRITE);
}

void sg_os_unmap(void *address, size_t bytes)
{
    /* At vm.max_map_count a hole in a mapping cannot be made; the memory at least goes. */
    if (os_failed(os_syscall3(SYS_munmap, (long)address, (long)bytes, 0)))
        advise(address, bytes, MADV_DONTNEED);
}

bool sg_os_purge(void *address, size_t bytes)
{
    uintptr_t first = align_up((uintptr_t)address, sg_os_page_bytes);
    uintptr_t end = align_down((uintptr_t)address + bytes, sg_os_page_bytes);
    bool whole = first == (uintptr_t)address && end == (uintptr_t)address + bytes;

    return first < end && advise((void *)first, end - first, MADV_DONTNEED) && whole;
}

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

bool sg_os_make_read_only(void *address, size_t bytes)
{
    if (!protect(address, bytes, PROT_READ))
        return false;
    (void)os_syscall3(SYS_mseal, (long)address, (long)bytes, 0);
    return true;
}

static long remap(void *from, size_t bytes, int flags, void *to)
{
    return os_syscall6(SYS_mremap, (long)from, (long)bytes, (long)bytes, MREMAP_MAYMOVE | flags,
                       (long)to, 0);
}

/* In two steps, since MREMAP_FIXED unmaps the target before it looks at the source, and a source
 * that spans several mappings then fails or moves half (by kernel version). Step one, to a place
 * that the kernel chooses, fails as a whole for such a source and harms nothing. */
enum os_move sg_os_move(void *to, void *from, size_t bytes)
{
    long between = remap(from, bytes, MREMAP_DONTUNMAP, NULL);

    if (os_failed(between))
        return OS_NOT_MOVED;
    if (!os_failed(remap((void *)between, bytes, MREMAP_FIXED, to)))
        return OS_MOVED;
    __builtin_memcpy(from, (void *)between, bytes);
    sg_os_unmap((void *)between, bytes);
    return OS_TARGET_LOST;
}

/* Between two pages without access: what the kernel puts beside it may be the heap. */
void *sg_os_map_wiped_on_fork(void)
{
    char *reserved = sg_os_reserve(NULL, 3 * sg_os_page_bytes);

    if (reserved == NULL)
        return NULL;
    char *page = reserved + sg_os_page_bytes;
    if (!sg_os_commit(page, sg_os_page_bytes) || !advise(page, sg_os_page_bytes, MADV_WIPEONFORK)) {
        sg_os_unmap(reserved, 3 * sg_os_page_bytes);
        return NULL;
    }
    return page;
}
