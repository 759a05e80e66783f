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
    char text[32] = "";
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

static bool advise(void *address, size_t bytes, int advice)
{
    return !os_failed(os_syscall3(SYS_madvise, (long)address, (long)bytes, advice));
}

static bool protect(void *address, size_t bytes, int protection)
{
    return !os_failed(os_syscall3(SYS_mprotect, (long)address, (long)bytes, protection));
}

/* The kernel looks at the advice before it looks at the length. */
static bool has_guards(void)
{
    return advise(NULL, 0, MADV_GUARD_INSTALL);
}

void sg_os_guard_start(bool by_mprotect, size_t budget_wanted)
{
    bool without = by_mprotect || !has_guards();
    size_t maps = without ? map_count_max() : MAP_COUNT_DEFAULT;

    store_relaxed(&without_madvise, without);
    store_relaxed(&budget, budget_wanted != 0 ? budget_wanted : maps / 4);
}

bool sg_os_vacate(void *address, size_t bytes)
{
    return !load_relaxed(&without_madvise) && bytes <= MARKED_BYTES_MAX &&
           advise(address, bytes, MADV_GUARD_INSTALL);
}

bool sg_os_forbid_and_keep(void *address, size_t bytes)
{
    if (atomic_fetch_add_explicit(&protected_ranges, 1, memory_order_relaxed) <
        load_relaxed(&budget)) {
        store_relaxed(&uses_mprotect, true);
        if (protect(address, bytes, PROT_NONE))
            return true;
    }
    atomic_fetch_sub_explicit(&protected_ranges, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&refused_ranges, 1, memory_order_relaxed);
    return false;
}

enum os_closed sg_os_forbid(void *address, size_t bytes)
{
    if (sg_os_vacate(address, bytes))
        return OS_CLOSED_EMPTY;
    if (!sg_os_forbid_and_keep(address, bytes))
        return OS_OPEN;
    return sg_os_purge(address, bytes) ? OS_CLOSED_EMPTY : OS_CLOSED;
}

static void count_allowed(void)
{
    size_t ranges = load_relaxed(&protected_ranges);

    while (ranges > 0 &&
           !atomic_compare_exchange_weak_explicit(&protected_ranges, &ranges, ranges - 1,
                                                  memory_order_relaxed, memory_order_relaxed))
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
