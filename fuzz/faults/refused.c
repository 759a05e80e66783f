#include "refused.h"

#include "arena_ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum refusal {
    NOT_CLOSED = 1,
    NOT_UNMAPPED = 2,
};

static struct {
    uint8_t pages[LEDGER_PAGES]; /* enum refusal */
    struct range noted;          /* the others are zero */
    uint64_t closings;
} refused;

static _Noreturn void fail(const char *what, const void *address)
{
    fprintf(stderr, "fuzz: faults: %s: %p\n", what, address);
    abort();
}

void refused_start(void)
{
    if (refused.noted.first < refused.noted.end)
        memset(refused.pages + refused.noted.first, 0, refused.noted.end - refused.noted.first);
    refused.noted = (struct range){LEDGER_PAGES, 0};
    refused.closings = 0;
}

static bool speaks_of_a_range(long number, const long *arguments)
{
    return arguments[1] != 0 && (number == SYS_madvise || number == SYS_munmap ||
                                 number == SYS_mprotect || number == SYS_mremap);
}

static struct range range_of(long address, long bytes)
{
    size_t count = (size_t)bytes;

    if (!arena_contains((void *)address) ||
        count > (size_t)(ledger_address(LEDGER_PAGES) - (char *)address))
        fail("a call on memory that the allocator never had", (void *)address);

    size_t first = ledger_page((void *)address);
    return (struct range){first, first + (count + ARENA_OS_PAGE_BYTES - 1) / ARENA_OS_PAGE_BYTES};
}

/* The purge that stands in for a refused munmap speaks of what is nobody's, and may. */
static bool is_last_word(long number, const long *arguments)
{
    return number == SYS_madvise && arguments[2] == MADV_DONTNEED;
}

static void require_ours(long number, const long *arguments)
{
    struct range range = range_of(arguments[0], arguments[1]);
    size_t page;

    if (ledger_find_unmapped(range, &page))
        fail("a call on pages that are not mapped", ledger_address(page));
    for (page = range.first; page < range.end && !is_last_word(number, arguments); page++)
        if ((refused.pages[page] & NOT_UNMAPPED) != 0)
            fail("a call on pages that were given up", ledger_address(page));
}

static void note(struct range range, enum refusal refusal)
{
    for (size_t page = range.first; page < range.end; page++)
        refused.pages[page] |= (uint8_t)refusal;
    if (range.first < refused.noted.first)
        refused.noted.first = range.first;
    if (range.end > refused.noted.end)
        refused.noted.end = range.end;
}

static void forget(long address, long bytes)
{
    struct range range = range_of(address, bytes);

    memset(refused.pages + range.first, 0, range.end - range.first);
}

void refused_note_call(long number, const long *arguments)
{
    if (!speaks_of_a_range(number, arguments))
        return;
    require_ours(number, arguments);
    if (number != SYS_madvise)
        forget(arguments[0], arguments[1]);
    if (number == SYS_mremap && (arguments[3] & MREMAP_FIXED) != 0)
        forget(arguments[4], arguments[2]);
}

void refused_note_failure(long number, const long *arguments)
{
    if (!speaks_of_a_range(number, arguments))
        return;
    require_ours(number, arguments);
    if (number == SYS_munmap)
        note(range_of(arguments[0], arguments[1]), NOT_UNMAPPED);
    if (number == SYS_mprotect && arguments[2] == PROT_NONE) {
        note(range_of(arguments[0], arguments[1]), NOT_CLOSED);
        refused.closings++;
    }
}

bool refused_to_close(uintptr_t page)
{
    return (refused.pages[ledger_page((void *)page)] & NOT_CLOSED) != 0;
}

bool refused_to_unmap(uintptr_t page)
{
    return (refused.pages[ledger_page((void *)page)] & NOT_UNMAPPED) != 0;
}

uint64_t refused_closings(void)
{
    return refused.closings;
}

static void unmap(struct range range)
{
    const long arguments[6] = {(long)ledger_address(range.first),
                               (long)((range.end - range.first) * ARENA_OS_PAGE_BYTES)};

    (void)arena_call(SYS_munmap, arguments);
}

void refused_end(void)
{
    for (size_t page = refused.noted.first; page < refused.noted.end; page++) {
        size_t end = page;

        while (end < refused.noted.end && (refused.pages[end] & NOT_UNMAPPED) != 0)
            end++;
        if (end > page)
            unmap((struct range){page, end});
        page = end > page ? end - 1 : page;
    }
    refused_start();
}
