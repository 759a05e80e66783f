/* Defects of guards and quarantine that were found by reading, each with the program that showed
 * it. */
#include "again.h"
#include "probe.h"

#include <string.h>
#include <sys/mman.h>

enum { BLOCKS = 200, BLOCK = 20000, ROUNDS = 20, MIB = 1 << 20, LARGE_BLOCKS = 900 };

/* The guard madvise stops at a locked mapping, and had marked what lies before. */
BODY(frees_among_a_locked_block)
{
    static char *blocks[BLOCKS];

    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            REQUIRE((blocks[i] = malloc((size_t)BLOCK + rand() % 60000)) != NULL);
            memset(blocks[i], 1, BLOCK);
        }
        if (mlock(blocks[round * 7 % BLOCKS], BLOCK) != 0)
            return; /* not allowed: nothing to see */
        for (int i = 0; i < BLOCKS; i++)
            free(blocks[i]);
        malloc_trim(0);
    }
}

TEST(a_locked_block_does_not_leave_guards_in_free_memory)
{
    EXPECT(again_is("frees_among_a_locked_block", "", 0, ""));
    EXPECT(again_is("frees_among_a_locked_block", "profile=strict", 0, ""));
    EXPECT(again_is("frees_among_a_locked_block", "sample_bytes=0", 0, ""));
}

enum { MIDDLE = 65000, MIDDLES = 60 };

/* Bytes without access among the blocks, looked at by the page. */
static size_t closed_pages(void)
{
    static char *blocks[MIDDLES];
    char *low = (char *)UINTPTR_MAX, *high = NULL;
    size_t closed = 0;

    for (int i = 0; i < MIDDLES; i++) {
        memset(blocks[i] = malloc(MIDDLE), 1, MIDDLE);
        low = blocks[i] < low ? blocks[i] : low;
        high = blocks[i] > high ? blocks[i] : high;
    }
    for (char *page = low; page < high; page += 4096)
        closed += faults(page, PROBE_READ);
    return closed;
}

BODY(builds_spans_where_a_large_block_was)
{
    char *large = malloc(8 * MIB);

    memset(large, 1, 8 * MIB);
    free(large);
    REQUIRE(closed_pages() >= MIDDLES / 8);
}

TEST(guards_are_more_than_marks_after_a_large_block)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("builds_spans_where_a_large_block_was", "profile=fast", 0, ""));
    EXPECT(again_is("builds_spans_where_a_large_block_was", "guard_free=0", 0, ""));
    EXPECT(again_is("builds_spans_where_a_large_block_was", "", 0, ""));
}

BODY(fills_the_quarantine)
{
    static char *blocks[LARGE_BLOCKS];

    for (int i = 0; i < LARGE_BLOCKS; i++)
        (blocks[i] = malloc(300000))[0] = 1;
    for (int i = 0; i < LARGE_BLOCKS; i++)
        free(blocks[i]);
    char *block = malloc(64), *volatile again = block;

    free(block);
    REQUIRE(faults(again, PROBE_READ));
    free(again); /* NOLINT(clang-analyzer-unix.Malloc) */
}

TEST(a_full_quarantine_takes_the_next_block)
{
    NOT_OVER_GLIBC();
    struct again result = again("fills_the_quarantine", "profile=strict:sample_bytes=1");
    EXPECT_EQUAL(result.ending, 128 + SIGABRT);
    EXPECT(strstr(result.text, "P203 double free: free: a block of 64 bytes") != NULL);
    EXPECT(strstr(result.text, " allocated=") != NULL && strstr(result.text, " freed=") != NULL);
}

BODY(takes_access_from_its_own_block)
{
    char *block = aligned_alloc(4096, MIB);

    mprotect(block, 4096, PROT_NONE);
    block[100] = 1;
}

TEST(a_program_that_closes_its_own_block_is_not_told_of_an_overflow)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("takes_access_from_its_own_block", "", 128 + SIGSEGV, ""));
}
