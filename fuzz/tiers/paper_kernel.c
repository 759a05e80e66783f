#include "paper_kernel.h"

#include "laboratory.h"
#include "tier.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

ORACLES_BEGIN

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

struct paper paper;

static struct {
    enum paper_memory memory;
    bool is_backed; /* memory was once made for the area */
    bool is_unaligned;
    bool was_protected;
    uintptr_t first;
    uintptr_t next;
    struct random random;
    system_call *others; /* whose the rest is */
    uint8_t flags[PAPER_OS_PAGES];
} ledger;

static size_t index_of(uintptr_t address)
{
    return (address - PAPER_BASE) / PAPER_OS_PAGE_BYTES;
}

static bool is_in_area(uintptr_t address)
{
    return address >= PAPER_BASE && address - PAPER_BASE < PAPER_BYTES;
}

uintptr_t paper_first(void)
{
    return ledger.first;
}

uintptr_t paper_end(void)
{
    return ledger.next;
}

uint8_t paper_flags(uintptr_t address)
{
    return is_in_area(address) ? ledger.flags[index_of(address)] : 0;
}

/* Sets and clears flags; false if a page is not mapped. */
static bool mark(uintptr_t address, size_t bytes, uint8_t set, uint8_t clear)
{
    bool all_mapped = true;

    for (size_t i = 0; i < bytes; i += PAPER_OS_PAGE_BYTES) {
        uint8_t *flags = &ledger.flags[index_of(address + i)];

        all_mapped = all_mapped && (*flags & PAPER_MAPPED) != 0;
        *flags = (uint8_t)((*flags | set) & ~clear);
    }
    return all_mapped;
}

static bool any(uintptr_t address, size_t bytes, uint8_t wanted)
{
    for (size_t i = 0; i < bytes; i += PAPER_OS_PAGE_BYTES)
        if ((paper_flags(address + i) & wanted) != 0)
            return true;
    return false;
}

bool paper_is_open(uintptr_t address, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += PAPER_OS_PAGE_BYTES)
        if ((paper_flags(address + i) & PAPER_MAPPED) == 0)
            return false;
    return !any(address, bytes, PAPER_MARKED | PAPER_PROTECTED);
}

bool paper_is_written(uintptr_t address, size_t bytes)
{
    return any(address, bytes, PAPER_WRITTEN);
}

bool paper_write(uintptr_t address, size_t bytes)
{
    bytes += address % PAPER_OS_PAGE_BYTES;
    address -= address % PAPER_OS_PAGE_BYTES;
    if (!paper_is_open(address, bytes))
        return false;
    return mark(address, bytes, PAPER_WRITTEN, 0);
}

/* What the kernel would hand out next at these addresses is zero. */
static void drop_memory(uintptr_t address, size_t bytes)
{
    if (ledger.memory == PAPER_REAL)
        (void)madvise((void *)address, bytes, MADV_DONTNEED);
    for (size_t i = 0; i < bytes && ledger.memory == PAPER_RESIDENT; i += PAPER_OS_PAGE_BYTES)
        if ((paper_flags(address + i) & PAPER_WRITTEN) != 0)
            memset((void *)(address + i), 0, PAPER_OS_PAGE_BYTES);
    (void)mark(address, bytes, 0, PAPER_WRITTEN);
}

void paper_clear(uintptr_t address, size_t bytes)
{
    drop_memory(address, bytes);
}

/* Whether a countdown ends with this call. */
static bool is_failing(unsigned *left)
{
    if (*left == 0 || --*left != 0)
        return false;
    paper.failures++;
    return true;
}

static long map_in_area(size_t bytes)
{
    uintptr_t base = ledger.next;

    if (ledger.is_unaligned)
        base = (base & ~(PAGE_BYTES - 1)) + PAGE_BYTES + PAPER_OS_PAGE_BYTES;

    if (is_failing(&paper.fail_mmap_in))
        return -ENOMEM;
    if (bytes > PAPER_BYTES || base + bytes > PAPER_BASE + PAPER_BYTES) {
        paper.failures++;
        return -ENOMEM;
    }
    (void)mark(base, bytes, PAPER_MAPPED, 0);
    paper.last_mapping = base;
    ledger.next = base + bytes;
    return (long)base;
}

/* As if it were mapped anew. */
static void clean_memory(uintptr_t address, size_t bytes)
{
    if (bytes == 0)
        return;
    if (ledger.memory == PAPER_REAL && ledger.was_protected)
        (void)mprotect((void *)address, bytes, PROT_READ | PROT_WRITE);
    if (ledger.memory == PAPER_REAL)
        (void)madvise((void *)address, bytes, MADV_GUARD_REMOVE);
    drop_memory(address, bytes);
}

static long unmap(uintptr_t address, size_t bytes)
{
    clean_memory(address, bytes);
    (void)mark(address, bytes, 0, 0xff);
    if (address + bytes == ledger.next)
        ledger.next = address;
    return 0;
}

static void note_purge(uintptr_t address, size_t bytes)
{
    if (ledger.memory != PAPER_NO_MEMORY)
        return;
    tier_expect(paper.purge_count < PAPER_PURGES_MAX, "more calls of madvise than there is room");
    paper.purges[paper.purge_count++] = (struct paper_purge){address, bytes};
}

static long advise(uintptr_t address, size_t bytes, int advice)
{
    bool mapped = true;

    if (advice != MADV_GUARD_REMOVE && is_failing(&paper.fail_advice_in))
        return -ENOMEM;
    if (advice == MADV_DONTNEED || advice == MADV_GUARD_INSTALL) {
        drop_memory(address, bytes);
        note_purge(address, bytes);
    }
    if (advice == MADV_DONTNEED)
        mapped = mark(address, bytes, 0, 0);
    else if (advice == MADV_GUARD_INSTALL)
        mapped = mark(address, bytes, PAPER_MARKED, 0);
    else if (advice == MADV_GUARD_REMOVE)
        mapped = mark(address, bytes, 0, PAPER_MARKED);
    tier_expect(mapped, "madvise of what is not mapped");
    return 0;
}

static long protect(uintptr_t address, size_t bytes, int protection)
{
    bool opens = protection != PROT_NONE;

    ledger.was_protected = true;
    tier_expect(mark(address, bytes, opens ? 0 : PAPER_PROTECTED, opens ? PAPER_PROTECTED : 0),
                "mprotect of what is not mapped");
    return 0;
}

/* No lock is held over a call that gives memory back or takes access away. */
static void do_meanwhile(void)
{
    void (*meanwhile)(void) = paper.meanwhile;

    paper.meanwhile = NULL;
    if (meanwhile != NULL)
        meanwhile();
}

static long about_area(long number, const long *arguments)
{
    uintptr_t address = (uintptr_t)arguments[0];
    size_t bytes = (size_t)arguments[1];
    long result = -ENOSYS;

    tier_expect(bytes <= PAPER_BASE + PAPER_BYTES - address, "a call reaches beyond all mappings");
    tier_expect((address | bytes) % PAPER_OS_PAGE_BYTES == 0, "a call with a part of an OS page");
    if (number == SYS_munmap)
        return unmap(address, bytes);
    if (number == SYS_madvise) {
        do_meanwhile();
        result = advise(address, bytes, (int)arguments[2]);
    } else if (number == SYS_mprotect)
        result = protect(address, bytes, (int)arguments[2]);
    if (result == 0 && ledger.memory == PAPER_REAL)
        return laboratory_machine_call(number, arguments);
    return result;
}

static long tell_time(struct timespec *ret_now)
{
    *ret_now = (struct timespec){.tv_sec = (time_t)(paper.milliseconds / 1000),
                                 .tv_nsec = (long)(paper.milliseconds % 1000) * 1000000};
    return 0;
}

static long give_random(uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)random_next(&ledger.random);
    return (long)count;
}

static long kernel(long number, const long *arguments)
{
    bool is_address = number == SYS_munmap || number == SYS_madvise || number == SYS_mprotect;

    if (number == SYS_madvise && arguments[0] == 0 && arguments[1] == 0)
        return 0; /* does it know this advice? */
    if (number == SYS_clock_gettime)
        return tell_time((struct timespec *)arguments[1]);
    if (number == SYS_getrandom)
        return give_random((uint8_t *)arguments[0], (size_t)arguments[1]);
    if (number == SYS_mmap && arguments[0] == 0 && arguments[2] == (PROT_READ | PROT_WRITE))
        return map_in_area((size_t)arguments[1]);
    if (is_address && is_in_area((uintptr_t)arguments[0]))
        return about_area(number, arguments);
    return ledger.others(number, arguments);
}

static void back_with_memory(void)
{
    void *area;

    if (ledger.is_backed)
        return;
    area = mmap((void *)PAPER_BASE, PAPER_BYTES, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    tier_expect(area == (void *)PAPER_BASE, "the area is taken");
    ledger.is_backed = true;
}

static uintptr_t start_of(uint8_t start)
{
    static const size_t before_boundary[4] = {64 * MIB, 512 * KIB, 8 * KIB, 16 * MIB};

    return PAPER_BOUNDARY - before_boundary[start % 4];
}

void paper_start(struct paper_setup setup)
{
    if (ledger.next != 0) {
        clean_memory(ledger.first, ledger.next - ledger.first);
        memset(ledger.flags, 0, index_of(ledger.next));
    }
    paper = (struct paper){.milliseconds = 1000};
    if (setup.memory != PAPER_NO_MEMORY)
        back_with_memory();
    ledger.memory = setup.memory;
    ledger.is_unaligned = setup.is_unaligned;
    ledger.was_protected = false;
    ledger.first = start_of(setup.start);
    ledger.next = ledger.first;
    ledger.random = target_random(setup.seed, 0);
    if (laboratory.kernel != kernel)
        ledger.others = laboratory.kernel != NULL ? laboratory.kernel : laboratory_machine_call;
    laboratory.kernel = kernel;
}

ORACLES_END
