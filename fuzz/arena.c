#include "arena.h"

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
#define PAGES (ARENA_BYTES / PAGE)

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

enum page_flags {
    MAPPED = 1,
    ACCESS = 2,
    GUARD = 4,
    KEPT = 8, /* without access, and may hold contents */
};

#define HOLES_MAX 64u

/* A hint says that the tiers want a place of their own choice: records, far from the program's. */
enum zone_kind { ZONE_BLOCKS, ZONE_RECORDS, ZONE_COUNT };

struct range {
    size_t first; /* pages of the arena */
    size_t end;
};

struct zone {
    struct range free;             /* never mapped since the start */
    struct range used;             /* all that ever was */
    struct range holes[HOLES_MAX]; /* mapped once; what does not fit in here is not used again */
    unsigned hole_count;
};

/* Two reservations more than one machine may lack; the first is one that ThreadSanitizer, which
 * owns most addresses, allows. One that begins in the middle of a page of ours, and one that lies
 * across the top of a leaf of the page map. */
static const uintptr_t bases[] = {0x7e8100000000, 0x100000000000, 0x2aaa80001000, 0x5ffec0003000};
#define BASE_COUNT (sizeof(bases) / sizeof(bases[0]))

static struct {
    _Atomic bool is_locked; /* acquire and release: guards all of this */
    char *start;
    char *starts[BASE_COUNT]; /* NULL: not reserved yet */
    struct arena_settings settings;
    struct zone zones[ZONE_COUNT];
    size_t mapped_pages;
    uint64_t random;
    uint64_t clock_us;
    uint64_t clock_step_us;
    unsigned calls[512];
} arena;

static uint8_t ledger[PAGES]; /* enum page_flags */
static uint8_t idle[BASE_COUNT][PAGES];

static _Noreturn void fail(const char *what, const void *address)
{
    fprintf(stderr, "fuzz: arena: %s: %p\n", what, address);
    abort();
}

static char *address_of(size_t page)
{
    return arena.start + page * PAGE;
}

static size_t page_of(const void *address)
{
    return (size_t)((const char *)address - arena.start) / PAGE;
}

bool arena_contains(const void *address)
{
    return arena.start != NULL && (uintptr_t)address - (uintptr_t)arena.start < ARENA_BYTES;
}

static unsigned flags_at(const void *address)
{
    return arena_contains(address) ? ledger[page_of(address)] : 0;
}

bool arena_is_mapped(const void *address)
{
    return (flags_at(address) & MAPPED) != 0;
}

bool arena_is_guarded(const void *address)
{
    unsigned flags = flags_at(address);

    return (flags & MAPPED) != 0 && ((flags & GUARD) != 0 || (flags & ACCESS) == 0);
}

bool arena_has_access(const void *address, size_t bytes)
{
    const char *end = (const char *)address + bytes;

    for (const char *at = address; at < end; at = address_of(page_of(at) + 1))
        if ((flags_at(at) & (MAPPED | ACCESS | GUARD)) != (MAPPED | ACCESS))
            return false;
    return true;
}

size_t arena_mapped_bytes(void)
{
    return arena.mapped_pages * PAGE;
}

size_t arena_accessible_bytes(void)
{
    size_t pages = 0;

    for (unsigned i = 0; i < ZONE_COUNT; i++)
        for (size_t page = arena.zones[i].used.first; page < arena.zones[i].used.end; page++)
            pages += (ledger[page] & (ACCESS | GUARD)) == ACCESS;
    return pages * PAGE;
}

static size_t last_used_page(void)
{
    return arena.zones[ZONE_RECORDS].used.end;
}

bool arena_next_mapping(const void *address, const char **ret_start, const char **ret_end)
{
    size_t first = arena_contains(address) ? page_of(address) : 0;
    size_t end;

    if ((uintptr_t)address >= (uintptr_t)arena.start + ARENA_BYTES)
        return false;
    while (first < last_used_page() && (ledger[first] & MAPPED) == 0)
        first++;
    if (first >= last_used_page())
        return false;
    for (end = first; end < PAGES && (ledger[end] & MAPPED) != 0;)
        end++;
    *ret_start = address_of(first);
    *ret_end = address_of(end);
    return true;
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

static void start_zone(struct zone *zone, size_t first, size_t end)
{
    zone->free = (struct range){first, end};
    zone->used = (struct range){end, first};
    zone->hole_count = 0;
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
    arena.mapped_pages = 0;
    memset(arena.calls, 0, sizeof(arena.calls));
    start_zone(&arena.zones[ZONE_BLOCKS], 0, ARENA_ZONE_BYTES / PAGE);
    start_zone(&arena.zones[ZONE_RECORDS], ARENA_ZONE_BYTES / PAGE, PAGES);
    if (settings->is_real)
        protect(arena.start, ARENA_BYTES, PROT_NONE);
}

/* What may not be written to was all zero when that began. */
static void on_written(const char *page)
{
    unsigned flags = ledger[page_of(page)];

    if ((flags & MAPPED) == 0)
        fail("a page was written to that is not mapped", page);
    if ((flags & GUARD) != 0)
        fail("a guard was written to", page);
    if ((flags & (ACCESS | KEPT)) == 0)
        fail("a page was written to that has no access", page);
}

static void drop_zone(const struct zone *zone)
{
    struct range used = zone->used;

    if (used.first >= used.end)
        return;
    if (!arena.settings.is_real)
        arena_memory_zero(address_of(used.first), (used.end - used.first) * PAGE,
                          idle[arena.settings.base] + used.first, on_written);
    memset(ledger + used.first, 0, used.end - used.first);
}

void arena_drop(void)
{
    for (unsigned i = 0; arena.start != NULL && i < ZONE_COUNT; i++)
        drop_zone(&arena.zones[i]);
    if (arena.start != NULL && arena.settings.is_real &&
        mmap(arena.start, ARENA_BYTES, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != arena.start)
        fail("it could not be dropped", arena.start);
    arena.start = NULL;
}

static bool take_hole(struct zone *zone, size_t pages, size_t *ret_first)
{
    for (unsigned i = 0; i < zone->hole_count; i++) {
        struct range *hole = &zone->holes[i];

        if (hole->end - hole->first < pages)
            continue;
        if (arena.settings.is_upwards) {
            *ret_first = hole->first;
            hole->first += pages;
        } else {
            hole->end -= pages;
            *ret_first = hole->end;
        }
        if (hole->first == hole->end)
            *hole = zone->holes[--zone->hole_count];
        return true;
    }
    return false;
}

static void give_hole(struct zone *zone, struct range given)
{
    for (unsigned i = 0; i < zone->hole_count;) {
        struct range *hole = &zone->holes[i];

        if (hole->first != given.end && hole->end != given.first) {
            i++;
            continue;
        }
        given.first = hole->first < given.first ? hole->first : given.first;
        given.end = hole->end > given.end ? hole->end : given.end;
        *hole = zone->holes[--zone->hole_count];
    }
    if (zone->hole_count < HOLES_MAX)
        zone->holes[zone->hole_count++] = given;
}

static bool take_pages(struct zone *zone, size_t pages, size_t *ret_first)
{
    size_t gap = arena.settings.is_gapped;

    if (!arena.settings.is_gapped && take_hole(zone, pages, ret_first))
        return true;
    if (pages + gap > zone->free.end - zone->free.first)
        return false;
    if (arena.settings.is_upwards) {
        *ret_first = zone->free.first + gap;
        zone->free.first += pages + gap;
    } else {
        zone->free.end -= pages + gap;
        *ret_first = zone->free.end;
    }
    return true;
}

static void note_use(struct zone *zone, size_t first, size_t pages)
{
    zone->used.first = first < zone->used.first ? first : zone->used.first;
    zone->used.end = first + pages > zone->used.end ? first + pages : zone->used.end;
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
    if (!take_pages(&arena.zones[kind], pages, &first))
        return -ENOMEM;
    note_use(&arena.zones[kind], first, pages);
    memset(ledger + first, (int)(MAPPED | access), pages);
    arena.mapped_pages += pages;
    if (arena.settings.is_real && access != 0)
        protect(address_of(first), pages * PAGE, PROT_READ | PROT_WRITE);
    return (long)address_of(first);
}

/* The pages of a call; the whole range is in the arena, or the process ends. */
static struct range range_of(const long *arguments)
{
    size_t bytes = (size_t)arguments[1];

    if (!arena_contains((void *)arguments[0]) ||
        bytes > ARENA_BYTES - (size_t)(arguments[0] - (long)arena.start))
        fail("a call on memory that the allocator never had", (void *)arguments[0]);

    size_t first = page_of((void *)arguments[0]);
    return (struct range){first, first + bytes / PAGE + (bytes % PAGE != 0)};
}

static void require_mapped(struct range range)
{
    for (size_t page = range.first; page < range.end; page++)
        if ((ledger[page] & MAPPED) == 0)
            fail("a call on pages that are not mapped", address_of(page));
}

/* From here on it reads as zero. */
static void wipe(struct range range)
{
    if (range.first == range.end)
        return;
    if (!arena.settings.is_real)
        arena_memory_wipe(address_of(range.first), (range.end - range.first) * PAGE);
    else if (madvise(address_of(range.first), (range.end - range.first) * PAGE, MADV_DONTNEED) != 0)
        fail("it cannot be purged", address_of(range.first));
}

static bool is_aligned(const long *arguments)
{
    return (size_t)arguments[0] % PAGE == 0;
}

static struct zone *zone_of(size_t page)
{
    return &arena.zones[page < ARENA_ZONE_BYTES / PAGE ? ZONE_BLOCKS : ZONE_RECORDS];
}

static void forget(struct range range)
{
    wipe(range);
    memset(ledger + range.first, 0, range.end - range.first);
    arena.mapped_pages -= range.end - range.first;
    give_hole(zone_of(range.first), range);
    if (!arena.settings.is_real)
        return;
    /* A guard that is left behind would fault in the next mapping. */
    if (mmap(address_of(range.first), (range.end - range.first) * PAGE, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
        fail("it cannot be unmapped", address_of(range.first));
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
        protect(address_of(range.first), (range.end - range.first) * PAGE, (int)arguments[2]);
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
    long target = arguments[4];

    require_mapped(from);
    if (arguments[1] != arguments[2] ||
        !arena_has_access((void *)arguments[0], (size_t)arguments[1]))
        return -EFAULT; /* as the kernel says of a source of several mappings */
    if ((arguments[3] & MREMAP_FIXED) != 0) {
        struct range to = range_of(to_arguments);

        wipe(to);
        for (size_t page = to.first; page < to.end; page++) {
            arena.mapped_pages += (ledger[page] & MAPPED) == 0;
            ledger[page] = MAPPED | ACCESS;
        }
    } else {
        target = map(map_arguments, ZONE_BLOCKS);
        if (target < 0)
            return target;
    }
    arena_memory_move((char *)target, (char *)arguments[0], (size_t)arguments[1]);
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

unsigned arena_calls(long number)
{
    return number >= 0 && number < 512 ? arena.calls[number] : 0;
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
        arena.calls[number]++;
    result = answer(number, arguments);
    atomic_store_explicit(&arena.is_locked, false, memory_order_release);
    return result;
}
