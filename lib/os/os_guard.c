#include "os_guard.h"

#include "os_memory.h"
#include "os_syscall.h"
#include "units.h"

#include <fcntl.h>
#include <sys/mman.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* linux/mman.h since 6.13 */
#define MADV_GUARD_REMOVE 103
#endif

/* A marker takes a page-table entry for each page, also where there was no table before. */
#define MARKED_BYTES_MAX (16 * MIB)
#define MAP_COUNT_DEFAULT 65530u

/* All relaxed: they order nothing. The counts are bounds, a few more do no harm. */
static _Atomic bool without_madvise;
static _Atomic bool uses_mprotect; /* some range was forbidden so: becomes true once */
static _Atomic size_t budget;
static _Atomic size_t protected_ranges;
static _Atomic size_t refused_ranges;

static size_t map_count_max(void)
{
    char text[32];
    size_t count = 0;
    long file = os_syscall6(SYS_openat, AT_FDCWD, (long)"/proc/sys/vm/max_map_count",
                            O_RDONLY | O_CLOEXEC, 0, 0, 0);

    if (os_failed(file))
        return MAP_COUNT_DEFAULT;
    long length = os_syscall3(SYS_read, file, (long)text, sizeof(text));
    (void)os_syscall3(SYS_close, file, 0, 0);
    for (long i = 0; i < length && text[i] >= '0' && text[i] <= '9'; i++)
        count = count * 10 + (size_t)(text[i] - '0');
    return count == 0 ? MAP_COUNT_DEFAULT : count;
}

void sg_os_guard_start(bool by_mprotect, size_t budget_wanted)
{
    store_relaxed(&without_madvise, by_mprotect);
    store_relaxed(&budget, budget_wanted);
}

static bool advise(void *address, size_t bytes, int advice)
{
    return !os_failed(os_syscall3(SYS_madvise, (long)address, (long)bytes, advice));
}

static bool protect(void *address, size_t bytes, int protection)
{
    return !os_failed(os_syscall3(SYS_mprotect, (long)address, (long)bytes, protection));
}

bool sg_os_vacate(void *address, size_t bytes)
{
    return !load_relaxed(&without_madvise) && bytes <= MARKED_BYTES_MAX &&
           advise(address, bytes, MADV_GUARD_INSTALL);
}

/* Read when first needed: most processes on new kernels never do. */
static size_t budget_now(void)
{
    if (load_relaxed(&budget) == 0)
        store_relaxed(&budget, map_count_max() / 4);
    return load_relaxed(&budget);
}

static bool forbid_by_mprotect(void *address, size_t bytes)
{
    if (atomic_fetch_add_explicit(&protected_ranges, 1, memory_order_relaxed) < budget_now()) {
        store_relaxed(&uses_mprotect, true);
        if (!sg_os_purge(address, bytes))
            __builtin_memset(address, 0, bytes); /* locked memory: the kernel keeps it */
        if (protect(address, bytes, PROT_NONE))
            return true;
    }
    atomic_fetch_sub_explicit(&protected_ranges, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&refused_ranges, 1, memory_order_relaxed);
    return false;
}

bool sg_os_forbid(void *address, size_t bytes)
{
    return sg_os_vacate(address, bytes) || forbid_by_mprotect(address, bytes);
}

static void count_allowed(void)
{
    size_t ranges = load_relaxed(&protected_ranges);

    while (ranges > 0 && !atomic_compare_exchange_weak_explicit(&protected_ranges, &ranges,
                                                                ranges - 1, memory_order_relaxed,
                                                                memory_order_relaxed))
        continue;
}

/* Which of the two ways forbade which part is not recorded: both are undone. */
bool sg_os_allow(void *address, size_t bytes)
{
    if (!load_relaxed(&without_madvise))
        advise(address, bytes, MADV_GUARD_REMOVE);
    if (!load_relaxed(&uses_mprotect))
        return true;
    if (!protect(address, bytes, PROT_READ | PROT_WRITE))
        return false;
    count_allowed();
    return true;
}

void sg_os_guard_statistics(struct os_guard_statistics *ret_statistics)
{
    *ret_statistics = (struct os_guard_statistics){
        .splits_mappings = load_relaxed(&uses_mprotect),
        .by_mprotect = load_relaxed(&protected_ranges),
        .refused = load_relaxed(&refused_ranges),
    };
}
