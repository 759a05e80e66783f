#include "os_guard.h"

#include "annotate.h"
#include "os_memory.h"
#include "os_process.h"
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
static struct {
    _Atomic size_t budget;
    _Atomic size_t protected_ranges;
    _Atomic size_t refused_ranges;
    _Atomic size_t refused_since; /* the budget was first reached */
    _Atomic bool without_madvise;
    _Atomic bool uses_mprotect; /* some range was forbidden so: becomes true once */
} state;

#define RECOUNT_EACH 4096u /* refusals from one look at the kernel's count to the next */

static long open_for_reading(const char *path)
{
    return os_syscall6(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
}

static size_t map_count_max(void)
{
    char text[32] = "";
    size_t count = 0;
    long file = open_for_reading("/proc/sys/vm/max_map_count");

    if (os_failed(file))
        return MAP_COUNT_DEFAULT;
    long length = os_syscall3(SYS_read, file, (long)text, sizeof(text));
    (void)os_syscall3(SYS_close, file, 0, 0);
    for (long i = 0; i < length && text[i] >= '0' && text[i] <= '9'; i++)
        count = count * 10 + (size_t)(text[i] - '0');
    return count == 0 ? MAP_COUNT_DEFAULT : count;
}

#define READ_BYTES 2048

/* The process's mappings as they are, or SIZE_MAX. Some 10 ms for 30,000. Those of this thread:
 * once the first one has ended, /proc/self/maps is empty. */
static size_t map_count_now(void)
{
    char text[READ_BYTES] = "";
    size_t lines = 0;
    long length;
    long file = open_for_reading("/proc/thread-self/maps");

    if (os_failed(file))
        return SIZE_MAX;
    while ((length = os_syscall3(SYS_read, file, (long)text, sizeof(text))) > 0)
        for (long i = 0; i < length; i++)
            lines += text[i] == '\n';
    (void)os_syscall3(SYS_close, file, 0, 0);
    return lines;
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

    ANNOTATE_ATOMIC(&state, sizeof(state));
    store_relaxed(&state.without_madvise, without);
    store_relaxed(&state.uses_mprotect, false);
    store_relaxed(&state.protected_ranges, 0);
    store_relaxed(&state.refused_since, 0);
    store_relaxed(&state.budget, budget_wanted != 0 ? budget_wanted : maps / 4);
}

enum os_vacated sg_os_vacate(void *address, size_t bytes)
{
    if (load_relaxed(&state.without_madvise) || bytes > MARKED_BYTES_MAX)
        return OS_UNTOUCHED;
    if (advise(address, bytes, MADV_GUARD_INSTALL))
        return OS_VACATED;
    /* Over several mappings it stops at the first locked one, and what lies before is marked. */
    advise(address, bytes, MADV_GUARD_REMOVE);
    return OS_GUARDS_LOST;
}

/* Ranges that touch are one, and what is opened was forbidden in other pieces: so the count only
 * goes up, and is taken anew from the kernel when it reaches the budget. Each range splits at most
 * two mappings off. */
static bool may_protect(void)
{
    size_t limit = load_relaxed(&state.budget);

    if (atomic_fetch_add_explicit(&state.protected_ranges, 1, memory_order_relaxed) < limit)
        return true;
    if (atomic_fetch_add_explicit(&state.refused_since, 1, memory_order_relaxed) % RECOUNT_EACH !=
        0)
        return false;

    size_t maps = map_count_now();
    size_t ranges = maps == SIZE_MAX ? limit : maps / 2;
    store_relaxed(&state.protected_ranges, ranges + 1);
    if (ranges < limit)
        store_relaxed(&state.refused_since, 0); /* the next time it is looked at once again */
    return ranges < limit;
}

static bool refuse(void)
{
    atomic_fetch_add_explicit(&state.refused_ranges, 1, memory_order_relaxed);
    return false;
}

static bool take_access(void *address, size_t bytes)
{
    store_relaxed(&state.uses_mprotect, true);
    return protect(address, bytes, PROT_NONE) || refuse();
}

bool sg_os_forbid_and_keep(void *address, size_t bytes)
{
    return may_protect() ? take_access(address, bytes) : refuse();
}

enum os_closed sg_os_forbid(void *address, size_t bytes)
{
    if (sg_os_vacate(address, bytes) == OS_VACATED)
        return OS_CLOSED_EMPTY;
    if (!sg_os_forbid_and_keep(address, bytes))
        return OS_OPEN;
    return sg_os_purge(address, bytes) ? OS_CLOSED_EMPTY : OS_CLOSED;
}

bool sg_os_forbid_beyond_budget(void *address, size_t bytes)
{
    if (sg_os_vacate(address, bytes) == OS_VACATED)
        return true;
    atomic_fetch_add_explicit(&state.protected_ranges, 1, memory_order_relaxed);
    if (!take_access(address, bytes))
        return false;
    (void)sg_os_purge(address, bytes);
    return true;
}

static bool is_readable(uintptr_t address, size_t bytes)
{
    for (size_t done = 0; done < bytes; done += sg_os_page_bytes)
        if (!sg_os_is_readable(address + done))
            return false;
    return true;
}

/* Which of the two ways forbade which part is not recorded: both are undone. A process that may not
 * call madvise any more has access where there were no guards of that kind, and is told so. */
bool sg_os_allow(void *address, size_t bytes)
{
    bool opened = load_relaxed(&state.without_madvise) || advise(address, bytes, MADV_GUARD_REMOVE);

    if (load_relaxed(&state.uses_mprotect) && !protect(address, bytes, PROT_READ | PROT_WRITE))
        return false;
    return opened || is_readable((uintptr_t)address, bytes);
}

void sg_os_guard_statistics(struct os_guard_statistics *ret_statistics)
{
    size_t ranges = load_relaxed(&state.protected_ranges);
    size_t maps = ranges == 0 ? 0 : map_count_now();

    if (ranges > load_relaxed(&state.budget))
        ranges = load_relaxed(&state.budget);
    *ret_statistics = (struct os_guard_statistics){
        .splits_mappings = load_relaxed(&state.uses_mprotect),
        .by_mprotect = ranges < maps / 2 ? ranges : maps / 2,
        .refused = load_relaxed(&state.refused_ranges),
    };
}

void sg_os_map_counts(size_t *ret_used, size_t *ret_limit)
{
    *ret_used = map_count_now();
    *ret_limit = map_count_max();
}
