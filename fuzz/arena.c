#include "arena.h"

#include "arena_ledger.h"
#include "arena_memory.h"
#include "laboratory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#define PAGE ARENA_OS_PAGE_BYTES

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

/* Two reservations more than one machine may lack; the first is one that ThreadSanitizer, which
 * owns most addresses, allows. One that begins in the middle of a page of ours, and one that lies
 * across the top of a leaf of the page map. */
static const uintptr_t bases[] = {0x7e8100000000, 0x100000000000, 0x2aaa80001000, 0x5ffec0003000};
#define BASE_COUNT (sizeof(bases) / sizeof(bases[0]))

static struct {
    _Atomic bool is_locked; /* acquire and release: guards all of this */
    bool is_clean;          /* all memory of blocks */
    char *start;
    char *starts[BASE_COUNT]; /* NULL: not reserved yet */
    struct arena_settings settings;
    uint64_t random;
    uint64_t clock_us;
    uint64_t clock_step_us;
    const char *process_page; /* that fork wipes: of no block, and never given back */
    unsigned calls[512];
    unsigned no_room;
} arena;

static uint8_t notes[BASE_COUNT][LEDGER_PAGES];
static uint8_t touched[LEDGER_PAGES]; /* of blocks: those that the page cache ever handed out */

static _Noreturn void fail(const char *what, const void *address)
{
    fprintf(stderr, "fuzz: arena: %s: %p\n", what, address);
    abort();
}

static bool was_reserved(unsigned base)
{
    char *start;

    if (arena.starts[base] != NULL)
        return true;
    start = mmap((void *)bases[base], ARENA_BYTES, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (start == MAP_FAILED)
        return false;
    if (start != (char *)bases[base]) { /* an old kernel takes it for a hint */
        munmap(start, ARENA_BYTES);
        return false;
    }
    (void)madvise(start, ARENA_BYTES, MADV_NOHUGEPAGE); /* one page is not to cost 2 MiB */
    arena.starts[base] = start;
    return true;
}

static void protect(char *start, size_t bytes, int protection)
{
    if (bytes > 0 && mprotect(start, bytes, protection) != 0)
        fail("no access as wanted", start);
}

/* SplitMix64. */
static uint64_t next_random(void)
{
    uint64_t value = arena.random += 0x9e3779b97f4a7c15u;

    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

void arena_start(const struct arena_settings *settings)
{
    unsigned base = settings->base % BASE_COUNT;

    if (!was_reserved(base))
        base = 0;
    if (!was_reserved(base))
        fail("its addresses are taken", (void *)bases[base]);
    arena.start = arena.starts[base];
    arena.settings = *settings;
    arena.settings.base = base;
    arena.random = settings->seed;
    arena.clock_us = 1000000 + next_random() % 1000000000;
    arena.clock_step_us = 0;
    arena.is_clean = false;
    arena.process_page = NULL;
    arena_note_progress();
    arena.no_room = 0;
    ledger_start(arena.start, settings->is_upwards, settings->is_gapped);
    if (settings->is_real)
        protect(arena.start, ARENA_BYTES, PROT_NONE);
}

static enum zone_kind zone_of(size_t page)
{
    return page < ARENA_ZONE_BYTES / PAGE ? ZONE_BLOCKS : ZONE_RECORDS;
}

/* What may not be written to was all zero when that began. */
static void on_written(const char *page)
{
    unsigned flags = ledger[ledger_page(page)];

    if (page == arena.process_page)
        return;
    if ((flags & MAPPED) == 0)
        fail("a page was written to that is not mapped", page);
    if ((flags & GUARD) != 0)
        fail("a guard was written to", page);
    if ((flags & (ACCESS | KEPT)) == 0)
        fail("a page was written to that has no access", page);
    if (arena_is_of_blocks(page) && arena.is_clean)
        fail("memory that counts as clean is not zero", page);
    if (arena_is_of_blocks(page) && touched[ledger_page(page)] == 0)
        fail("a page was written to that was never handed out", page);
}

static struct arena_memory memory_of(enum zone_kind kind)
{
    return (struct arena_memory){
        .start = arena.start,
        .notes = notes[arena.settings.base],
        .touched = kind == ZONE_BLOCKS && !arena.settings.looks_everywhere ? touched : NULL,
    };
}

static void drop_zone(enum zone_kind kind)
{
    const struct arena_memory memory = memory_of(kind);
    struct range used = ledger_used(kind);

    if (!arena.settings.is_real)
        arena_memory_zero(&memory, used.first, used.end, on_written);
    memset(touched + used.first, 0, used.end - used.first);
}

void arena_drop(void)
{
    if (arena.start == NULL)
        return;
    drop_zone(ZONE_BLOCKS);
    drop_zone(ZONE_RECORDS);
    if (arena.settings.is_real) {
        if (mmap(arena.start, ARENA_BYTES, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != arena.start)
            fail("it could not be dropped", arena.start);
        memset(notes[arena.settings.base], 0, LEDGER_PAGES);
    }
    ledger_drop();
    arena.start = NULL;
}

void arena_expect_clean(void)
{
    arena.is_clean = true;
}

void arena_note_handed_out(const void *address, size_t bytes)
{
    if (arena_contains(address))
        memset(touched + ledger_page(address), 1, bytes / PAGE);
}

static long map(const long *arguments, enum zone_kind kind)
{
    size_t bytes = (size_t)arguments[1];
    size_t pages = bytes / PAGE + (bytes % PAGE != 0);
    unsigned access = (arguments[2] & PROT_WRITE) != 0 ? ACCESS : 0;
    size_t first;

    if (bytes == 0)
        return -EINVAL;
    if ((arguments[3] & (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)) != (MAP_PRIVATE | MAP_ANONYMOUS))
        fail("a mapping of another kind than the tiers make", NULL);
    if (!ledger_map(kind, pages, MAPPED | access, &first)) {
        arena.no_room++;
        return -ENOMEM;
    }
    if (arena.settings.is_real && access != 0)
        protect(ledger_address(first), pages * PAGE, PROT_READ | PROT_WRITE);
    return (long)ledger_address(first);
}

/* The pages of a call; the whole range is in the arena, or the process ends. */
static struct range range_of(const long *arguments)
{
    size_t bytes = (size_t)arguments[1];

    if (!arena_contains((void *)arguments[0]) ||
        bytes > ARENA_BYTES - (size_t)(arguments[0] - (long)arena.start))
        fail("a call on memory that the allocator never had", (void *)arguments[0]);

    size_t first = ledger_page((void *)arguments[0]);
    return (struct range){first, first + bytes / PAGE + (bytes % PAGE != 0)};
}

static void require_mapped(struct range range)
{
    size_t page;

    if (ledger_find_unmapped(range, &page))
        fail("a call on pages that are not mapped", ledger_address(page));
}

/* From here on it reads as zero. */
static void wipe(struct range range)
{
    const struct arena_memory memory = memory_of(zone_of(range.first));

    if (range.first == range.end)
        return;
    if (!arena.settings.is_real)
        arena_memory_wipe(&memory, range.first, range.end);
    else if (madvise(ledger_address(range.first), (range.end - range.first) * PAGE,
                     MADV_DONTNEED) != 0)
        fail("it cannot be purged", ledger_address(range.first));
}

static bool is_aligned(const long *arguments)
{
    return (size_t)arguments[0] % PAGE == 0;
}

static void forget(struct range range)
{
    wipe(range);
    ledger_unmap(range);
    if (!arena.settings.is_real)
        return;
    /* A guard that is left behind would fault in the next mapping. */
    if (mmap(ledger_address(range.first), (range.end - range.first) * PAGE, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
        fail("it cannot be unmapped", ledger_address(range.first));
}

static long unmap(const long *arguments)
{
    if (!is_aligned(arguments) || arguments[1] == 0)
        return -EINVAL;

    struct range range = range_of(arguments);
    require_mapped(range);
    forget(range);
    return 0;
}

static long change_access(const long *arguments)
{
    bool gains = (arguments[2] & PROT_WRITE) != 0;

    if (!is_aligned(arguments))
        return -EINVAL;

    struct range range = range_of(arguments);
    require_mapped(range);
    for (size_t page = range.first; page < range.end; page++) {
        if (gains)
            ledger[page] = (uint8_t)((ledger[page] | ACCESS) & ~KEPT);
        else if ((ledger[page] & ACCESS) != 0)
            ledger[page] = (uint8_t)((ledger[page] & ~ACCESS) | KEPT);
    }
    if (arena.settings.is_real)
        protect(ledger_address(range.first), (range.end - range.first) * PAGE, (int)arguments[2]);
    return 0;
}

static long play_advice(struct range range, int advice)
{
    switch (advice) {
    case MADV_DONTNEED:
        wipe(range);
        return 0;
    case MADV_GUARD_INSTALL:
        wipe(range);
        for (size_t page = range.first; page < range.end; page++)
            ledger[page] |= GUARD;
        return 0;
    case MADV_GUARD_REMOVE:
        for (size_t page = range.first; page < range.end; page++)
            ledger[page] &= (uint8_t)~GUARD;
        return 0;
    case MADV_WIPEONFORK:
        arena.process_page = ledger_address(range.first);
        touched[range.first] = 1;
        return 0;
    default:
        return -EINVAL;
    }
}

static long advise(const long *arguments)
{
    bool is_guard = arguments[2] == MADV_GUARD_INSTALL || arguments[2] == MADV_GUARD_REMOVE;

    if (is_guard && arena.settings.without_guard_advice)
        return -EINVAL;
    if (arguments[1] == 0) /* a question whether the kernel knows it */
        return 0;
    if (!is_aligned(arguments))
        return -EINVAL;

    struct range range = range_of(arguments);
    require_mapped(range);
    /* An older machine plays what it cannot do. */
    if (arena.settings.is_real && is_guard)
        (void)madvise((void *)arguments[0], (size_t)arguments[1], (int)arguments[2]);
    return play_advice(range, (int)arguments[2]);
}

#define KEEP_SOURCE 4 /* MREMAP_DONTUNMAP */

static long move(const long *arguments)
{
    const long to_arguments[2] = {arguments[4], arguments[2]};
    const long map_arguments[6] = {
        0, arguments[2], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0};
    struct range from = range_of(arguments);
    const struct arena_memory memory = memory_of(zone_of(from.first));
    long target = arguments[4];

    require_mapped(from);
    if (arguments[1] != arguments[2] ||
        !arena_has_access((void *)arguments[0], (size_t)arguments[1]))
        return -EFAULT; /* as the kernel says of a source of several mappings */
    if ((arguments[3] & MREMAP_FIXED) != 0) {
        struct range to = range_of(to_arguments);

        wipe(to);
        require_mapped(to); /* by the tiers, which move blocks between their own spans */
        memset(ledger + to.first, MAPPED | ACCESS, to.end - to.first);
    } else {
        target = map(map_arguments, ZONE_BLOCKS);
        if (target < 0)
            return target;
    }
    memset(touched + ledger_page((char *)target), 1, from.end - from.first);
    arena_memory_move(&memory, ledger_page((char *)target), from.first, from.end);
    if ((arguments[3] & KEEP_SOURCE) == 0)
        forget(from);
    return target;
}

static long fill_random(unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)(next_random() >> 32);
    return (long)count;
}

static long tell_time(struct timespec *ret_time)
{
    arena.clock_us += arena.clock_step_us;
    ret_time->tv_sec = (time_t)(arena.clock_us / 1000000);
    ret_time->tv_nsec = (long)(arena.clock_us % 1000000) * 1000;
    return 0;
}

void arena_clock_advance(uint64_t microseconds)
{
    arena.clock_us += microseconds;
}

void arena_clock_step(uint64_t step_us)
{
    arena.clock_step_us = step_us;
}

void arena_note_progress(void)
{
    memset(arena.calls, 0, sizeof(arena.calls));
}

unsigned arena_no_room(void)
{
    return arena.no_room;
}

static long answer(long number, const long *arguments)
{
    switch (number) {
    case SYS_mmap:
        return map(arguments, arguments[0] == 0 ? ZONE_BLOCKS : ZONE_RECORDS);
    case SYS_munmap:
        return unmap(arguments);
    case SYS_mprotect:
        return change_access(arguments);
    case SYS_madvise:
        return advise(arguments);
    case SYS_mremap:
        return move(arguments);
    case SYS_getrandom:
        return fill_random((unsigned char *)arguments[0], (size_t)arguments[1]);
    case SYS_clock_gettime:
        return tell_time((struct timespec *)arguments[1]);
    case SYS_openat: /* there are no files: nothing outside the input counts */
    case SYS_readlinkat:
        return -ENOENT;
    default:
        return -ENOSYS;
    }
}

/* What has nothing to do with memory, and may wait. */
static bool is_of_the_machine(long number, const long *arguments)
{
    switch (number) {
    case SYS_futex:
    case SYS_getpid:
    case SYS_gettid:
    case SYS_write:
    case SYS_sched_yield:
        return true;
    case SYS_rt_sigprocmask:
        return !arena_contains((void *)arguments[1]);
    default:
        return false;
    }
}

#define CALLS_MAX (1u << 20) /* of one kind, see arena_note_progress() */

static void require_progress(unsigned calls)
{
    if (calls > CALLS_MAX)
        fail("system calls without end", NULL);
}

long arena_call(long number, const long *arguments)
{
    long result;

    if (is_of_the_machine(number, arguments))
        return laboratory_machine_call(number, arguments);
    if (number == SYS_rt_sigprocmask) /* the way to ask whether memory is readable */
        return arena_has_access((void *)arguments[1], 1) ? -EINVAL : -EFAULT;
    while (atomic_exchange_explicit(&arena.is_locked, true, memory_order_acquire))
        ;
    if (number >= 0 && number < 512)
        require_progress(++arena.calls[number]);
    result = answer(number, arguments);
    atomic_store_explicit(&arena.is_locked, false, memory_order_release);
    return result;
}
