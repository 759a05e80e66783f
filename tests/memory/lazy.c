/* Large blocks cost nothing until they are touched, and give everything back when freed. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "resident.h"
#include "tap.h"

enum { TOUCHED_PAGES = 10, PAGE_BYTES = 4096 };

static const size_t block_bytes = 256 * MIB;
static const size_t many_bytes = 64 * MIB; /* written before free: ten pages would not be missed */
static const size_t allowance_bytes = MIB;

/* With huge pages always on, the kernel rounds each of our touches up to 2 MiB. */
static void disable_always_huge_pages(void)
{
    char mode[128];

    read_text("/sys/kernel/mm/transparent_hugepage/enabled", mode, sizeof mode);
    if (strstr(mode, "[always]") == NULL)
        return;
    tap_note("transparent huge pages are always on here: off for this process");
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

/* Spread over the block, so that they share no run of pages. */
static volatile unsigned char *touched_page(void *block, size_t index)
{
    return (volatile unsigned char *)block + index * (block_bytes / TOUCHED_PAGES);
}

static size_t growth_since(size_t before)
{
    size_t now = resident_bytes();

    return now > before ? now - before : 0;
}

/* An allocator may keep a large block for a moment, in case it is wanted again, and may need a
 * call to notice that the moment is over: so it gets a little over a second of small calls. */
static size_t growth_after_some_use(size_t before)
{
    enum { SETTLE_MS = 1500, STEP_MS = 20 };
    size_t grown = growth_since(before);

    for (long start = now_ms(); grown >= allowance_bytes && now_ms() - start < SETTLE_MS;) {
        for (size_t bytes = 16; bytes <= 64 * KIB; bytes *= 2) {
            volatile char *block = malloc(bytes);

            if (block != NULL)
                block[0] = 1;
            free((void *)block);
        }
        sleep_ms(STEP_MS);
        grown = growth_since(before);
    }
    return grown;
}

static void check_block(const char *name, void *block, size_t before)
{
    size_t grown = growth_since(before);

    tap_ok(grown < allowance_bytes, "%s of 256 MiB is not resident before it is touched", name);
    tap_note("%s: grew by %zu KiB", name, grown / KIB);

    for (size_t i = 0; i < TOUCHED_PAGES; i++)
        *touched_page(block, i) = 1;
    grown = growth_since(before);
    tap_ok(grown >= TOUCHED_PAGES * PAGE_BYTES && grown < allowance_bytes + 10 * PAGE_BYTES,
           "%s: ten touched pages are what becomes resident", name);
    tap_note("%s: grew by %zu KiB after ten touches", name, grown / KIB);

    memset(block, 1, many_bytes);
    grown = growth_since(before);
    tap_note("%s: grew by %zu KiB after %zu MiB were written", name, grown / KIB, many_bytes / MIB);
    free(block);
    tap_note("%s: %zu KiB above the start right after free", name, growth_since(before) / KIB);
    grown = growth_after_some_use(before);
    tap_ok(grown < allowance_bytes, "%s: freeing it brings the resident set back", name);
    tap_note("%s: %zu KiB above the start when settled", name, grown / KIB);
}

static void check_malloc(void)
{
    size_t before = resident_bytes();
    void *block = malloc(block_bytes);

    if (tap_ok(block != NULL, "malloc of 256 MiB succeeds"))
        check_block("malloc", block, before);
}

static void check_calloc(void)
{
    size_t before = resident_bytes();
    unsigned char *block = calloc(block_bytes / 64, 64);
    bool zero = true;

    if (!tap_ok(block != NULL, "calloc of 256 MiB succeeds"))
        return;
    for (size_t i = 0; i < TOUCHED_PAGES; i++)
        zero = zero && *touched_page(block, i) == 0;
    tap_ok(zero, "calloc: the pages read as zero");
    check_block("calloc", block, before);
}

/* A block that calloc reuses after its pages were dirty: lazily zero, or zeroed, never stale. */
static void check_calloc_after_free(void)
{
    const size_t bytes = 8 * MIB;
    unsigned char *block = malloc(bytes);
    bool zero = true;

    if (block == NULL)
        return;
    memset(block, 0xa5, bytes);
    free(block);
    block = calloc(1, bytes);
    for (size_t i = 0; block != NULL && i < bytes; i += 512)
        zero = zero && block[i] == 0;
    tap_ok(block != NULL && zero, "calloc after freeing a dirty block of the same size is zero");
    free(block);
}

static bool holds_numbers(const uint64_t *block, size_t bytes)
{
    for (size_t i = 0; i < bytes / sizeof *block; i += PAGE_BYTES / sizeof *block)
        if (block[i] != i)
            return false;
    return true;
}

static void check_realloc(void)
{
    const size_t old_bytes = 64 * MIB, new_bytes = 128 * MIB;
    uint64_t *block = malloc(old_bytes);
    struct timespec start, end;

    if (!tap_ok(block != NULL, "malloc of 64 MiB succeeds"))
        return;
    for (size_t i = 0; i < old_bytes / sizeof *block; i += PAGE_BYTES / sizeof *block)
        block[i] = i;
    clock_gettime(CLOCK_MONOTONIC, &start);
    uint64_t *grown = realloc(block, new_bytes);
    clock_gettime(CLOCK_MONOTONIC, &end);

    if (!tap_ok(grown != NULL, "realloc from 64 to 128 MiB succeeds"))
        return;
    tap_ok(holds_numbers(grown, old_bytes), "realloc from 64 to 128 MiB keeps the contents");
    tap_note("realloc took %ld us; copying 64 MiB takes some 10,000",
             (end.tv_sec - start.tv_sec) * 1000000 + (end.tv_nsec - start.tv_nsec) / 1000);
    free(grown);
}

int main(void)
{
    tap_begin();
    disable_always_huge_pages();
    resident_bytes();
    check_malloc();
    check_calloc();
    check_calloc_after_free();
    check_realloc();
    return tap_finish();
}
