#include "ledger.h"

#include "laboratory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

#define OS_PAGE_SHIFT 12
#define OS_PAGE ((size_t)1 << OS_PAGE_SHIFT)
#define CHUNK_PAGES ((size_t)1 << 14)
#define CHUNKS_MAX 4096u
#define TABLE_LOG2 14
#define TABLE_SIZE ((size_t)1 << TABLE_LOG2)

/* Of an OS page. */
enum {
    IS_OURS = 1,
    IS_WRITABLE = 2, /* by mmap and mprotect */
    IS_MARKED = 4,   /* by MADV_GUARD_INSTALL */
    IS_EXCUSED = 8,
};

struct chunk {
    uintptr_t number; /* of its first page, in chunks; 0: it is free */
    uint8_t pages[CHUNK_PAGES];
};

static struct {
    struct chunk chunks[CHUNKS_MAX];
    uint16_t table[TABLE_SIZE]; /* by a hash of the number: index of the chunk, plus one */
    size_t used;                /* chunks from here on were never used since the last tidying */
    uint64_t refused;
    system_call *below;
} ledger;

static _Noreturn void fail(const char *oracle, uintptr_t from, uintptr_t end)
{
    fprintf(stderr, "fuzz: %s: %#zx to %#zx\n", oracle, (size_t)from, (size_t)end);
    abort();
}

/* The entry for the number, or the free one where it belongs. Ends: the table is never full. */
static uint16_t *entry_of(uintptr_t number)
{
    size_t at = (number * 0x9e3779b97f4a7c15u) >> (64 - TABLE_LOG2);

    while (ledger.table[at] != 0 && ledger.chunks[ledger.table[at] - 1].number != number)
        at = (at + 1) % TABLE_SIZE;
    return &ledger.table[at];
}

static bool is_empty(const struct chunk *chunk)
{
    return chunk->pages[0] == 0 && memcmp(chunk->pages, chunk->pages + 1, CHUNK_PAGES - 1) == 0;
}

/* Chunks without a page of ours are free again; the others move down. */
static void tidy(void)
{
    size_t kept = 0;

    memset(ledger.table, 0, sizeof(ledger.table));
    for (size_t i = 0; i < ledger.used; i++) {
        if (is_empty(&ledger.chunks[i]))
            continue;
        if (kept != i)
            ledger.chunks[kept] = ledger.chunks[i];
        kept++;
        *entry_of(ledger.chunks[kept - 1].number) = (uint16_t)kept;
    }
    memset(&ledger.chunks[kept], 0, (ledger.used - kept) * sizeof(ledger.chunks[0]));
    ledger.used = kept;
}

static struct chunk *chunk_of(uintptr_t page)
{
    uintptr_t number = page / CHUNK_PAGES;

    if (*entry_of(number) == 0 && ledger.used == CHUNKS_MAX)
        tidy();
    if (ledger.used == CHUNKS_MAX)
        fail("the ledger is full", page, page);
    uint16_t *entry = entry_of(number);
    if (*entry == 0) {
        ledger.chunks[ledger.used].number = number;
        *entry = (uint16_t)++ledger.used;
    }
    return &ledger.chunks[*entry - 1];
}

/* The states of the pages [first, *ret_end) lie there, one after the other; at most up to `end`. */
static uint8_t *states_of(uintptr_t first, uintptr_t end, uintptr_t *ret_end)
{
    uintptr_t chunk_end = (first / CHUNK_PAGES + 1) * CHUNK_PAGES;

    *ret_end = end < chunk_end ? end : chunk_end;
    return &chunk_of(first)->pages[first % CHUNK_PAGES];
}

/* Clears bits of each page, then sets others. */
static void change(uintptr_t from, uintptr_t end, uint8_t cleared, uint8_t set)
{
    uintptr_t last = end >> OS_PAGE_SHIFT;

    for (uintptr_t page = from >> OS_PAGE_SHIFT; page < last;) {
        uintptr_t next;
        uint8_t *states = states_of(page, last, &next);

        for (size_t i = 0; i < next - page; i++)
            states[i] = (uint8_t)((states[i] & ~cleared) | set);
        page = next;
    }
}

/* Whether the bits in `mask` are `wanted` for each page. */
static bool all_are(uintptr_t from, uintptr_t end, uint8_t mask, uint8_t wanted)
{
    uintptr_t last = end >> OS_PAGE_SHIFT;

    for (uintptr_t page = from >> OS_PAGE_SHIFT; page < last;) {
        uintptr_t next;
        const uint8_t *states = states_of(page, last, &next);

        for (size_t i = 0; i < next - page; i++)
            if ((states[i] & mask) != wanted)
                return false;
        page = next;
    }
    return true;
}

static bool is_ours(uintptr_t from, uintptr_t end)
{
    return all_are(from, end, IS_OURS, IS_OURS);
}

static uintptr_t end_of(long address, long bytes)
{
    return (uintptr_t)address + (((size_t)bytes + OS_PAGE - 1) & ~(size_t)(OS_PAGE - 1));
}

static bool speaks_of_a_range(long number, const long *arguments)
{
    if (number == SYS_madvise) /* the probe for guards has no bytes */
        return arguments[1] != 0;
    return number == SYS_munmap || number == SYS_mprotect || number == SYS_mremap;
}

static void require_ours(long number, const long *arguments)
{
    uintptr_t from = (uintptr_t)arguments[0];
    uintptr_t end = end_of(arguments[0], arguments[1]);

    if (speaks_of_a_range(number, arguments) && !is_ours(from, end))
        fail("a system call speaks of memory that is not ours", from, end);
    if (number == SYS_mremap && (arguments[3] & MREMAP_FIXED) != 0 &&
        !is_ours((uintptr_t)arguments[4], end_of(arguments[4], arguments[2])))
        fail("mremap would replace memory that is not ours", from, end);
}

static void note_advice(const long *arguments)
{
    uintptr_t from = (uintptr_t)arguments[0];
    uintptr_t end = end_of(arguments[0], arguments[1]);

    if (arguments[2] == MADV_GUARD_INSTALL)
        change(from, end, 0, IS_MARKED);
    else if (arguments[2] == MADV_GUARD_REMOVE)
        change(from, end, IS_MARKED, 0);
}

static void note_mapping(long address, long bytes, bool is_writable)
{
    change((uintptr_t)address, end_of(address, bytes), UINT8_MAX,
           IS_OURS | (is_writable ? IS_WRITABLE : 0));
}

static void note(long number, const long *arguments, long result)
{
    uintptr_t from = (uintptr_t)arguments[0];
    uintptr_t end = end_of(arguments[0], arguments[1]);

    switch (number) {
    case SYS_mmap:
        note_mapping(result, arguments[1], arguments[2] == (PROT_READ | PROT_WRITE));
        return;
    case SYS_munmap:
        change(from, end, UINT8_MAX, 0);
        return;
    case SYS_mprotect:
        change(from, end, IS_WRITABLE | IS_EXCUSED,
               arguments[2] == (PROT_READ | PROT_WRITE) ? IS_WRITABLE : 0);
        return;
    case SYS_madvise:
        note_advice(arguments);
        return;
    case SYS_mremap:
        if ((arguments[3] & MREMAP_DONTUNMAP) == 0)
            change(from, end, UINT8_MAX, 0);
        note_mapping(result, arguments[2], true);
        return;
    default:
        return;
    }
}

static bool has_failed(long result)
{
    return (unsigned long)result > -4096ul;
}

void ledger_note_failure(long number, const long *arguments)
{
    uintptr_t from = (uintptr_t)arguments[0];
    uintptr_t end = end_of(arguments[0], arguments[1]);

    require_ours(number, arguments);
    if (number == SYS_munmap)
        change(from, end, UINT8_MAX, 0); /* nobody's: it must not be used, nor unmapped again */
    if (number == SYS_mprotect && arguments[2] == PROT_NONE) {
        change(from, end, 0, IS_EXCUSED);
        ledger.refused++;
    }
}

/* The purge that stands in for a refused munmap speaks of lost memory, and may. */
static bool is_last_word(long number, const long *arguments)
{
    return number == SYS_madvise && arguments[2] == MADV_DONTNEED;
}

static long ledger_kernel(long number, const long *arguments)
{
    if (!is_last_word(number, arguments))
        require_ours(number, arguments);
    long result = ledger.below(number, arguments);
    if (has_failed(result))
        ledger_note_failure(number, arguments);
    else
        note(number, arguments, result);
    return result;
}

void ledger_start(void)
{
    if (laboratory.kernel == ledger_kernel)
        return;
    ledger.below = laboratory.kernel != NULL ? laboratory.kernel : laboratory_machine_call;
    laboratory.kernel = ledger_kernel;
}

bool ledger_is_open(uintptr_t from, uintptr_t end)
{
    return all_are(from, end, IS_OURS | IS_WRITABLE | IS_MARKED, IS_OURS | IS_WRITABLE);
}

static bool is_closed(uint8_t state, bool excused)
{
    return (state & IS_WRITABLE) == 0 || (state & IS_MARKED) != 0 ||
           (excused && (state & IS_EXCUSED) != 0);
}

bool ledger_is_closed(uintptr_t from, uintptr_t end, bool excused)
{
    for (uintptr_t page = from; page < end; page += OS_PAGE) {
        uintptr_t next;

        if (!is_closed(*states_of(page >> OS_PAGE_SHIFT, UINTPTR_MAX, &next), excused))
            return false;
    }
    return true;
}

uint64_t ledger_refused(void)
{
    return ledger.refused;
}

static void each_in_chunk(const struct chunk *chunk, size_t step, void (*visit)(uintptr_t page))
{
    for (size_t i = 0; i < CHUNK_PAGES; i += step)
        if ((chunk->pages[i] & IS_OURS) != 0)
            visit((chunk->number * CHUNK_PAGES + i) << OS_PAGE_SHIFT);
}

void ledger_each(size_t step, void (*visit)(uintptr_t page))
{
    for (size_t i = 0; i < ledger.used; i++)
        each_in_chunk(&ledger.chunks[i], step / OS_PAGE, visit);
}
