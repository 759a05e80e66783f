/* Guards around large blocks, and freed ones without access: through fork, madvise by the program,
 * and every change of size. */
#include "again.h"
#include "child.h"
#include "probe.h"
#include "threads.h"

#include <sys/mman.h>

enum { PAGE = 4096, LARGE = 1 << 20, BLOCKS = 24, HUGE_BYTES = 8 << 20 };

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif

static bool is_guarded(const char *block, size_t bytes)
{
    const char *end = (const char *)(((uintptr_t)block + bytes + PAGE - 1) & -(uintptr_t)PAGE);

    return faults(block - 1, PROBE_READ) && faults(block - 1, PROBE_WRITE) &&
           faults(end, PROBE_READ) && faults(end, PROBE_WRITE) && !faults(end - 1, PROBE_READ);
}

static bool is_closed(const char *block, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += PAGE)
        if (!faults(block + at, PROBE_READ) || !faults(block + at, PROBE_WRITE))
            return false;
    return true;
}

static size_t bytes_of(int i)
{
    static const size_t sizes[] = {40, 3000, 70000, LARGE, 300000, 3 * LARGE + 5};

    return sizes[i % 6] + (size_t)i * 16;
}

static struct {
    char *live[BLOCKS];
    char *freed_before;
} shared;

static void fill_shared(void)
{
    for (int i = 0; i < BLOCKS; i++) {
        REQUIRE((shared.live[i] = malloc(bytes_of(i))) != NULL);
        memset(shared.live[i], i + 1, bytes_of(i));
    }
    REQUIRE((shared.freed_before = malloc(LARGE)) != NULL);
    memset(shared.freed_before, 1, LARGE);
    free(shared.freed_before);
}

static void look_at_shared(void)
{
    for (int i = 0; i < BLOCKS; i++) {
        REQUIRE(is_filled(shared.live[i], bytes_of(i), (char)(i + 1)));
        REQUIRE(bytes_of(i) < LARGE || is_guarded(shared.live[i], bytes_of(i)));
    }
}

/* In a child: nothing of the parent's is lost, and all of it is the child's to free. What another
 * thread of the parent frees may drive the freed block out of quarantine. */
static void live_on(void *is_alone)
{
    look_at_shared();
    REQUIRE(is_alone == NULL || is_closed(shared.freed_before, LARGE));
    for (unsigned i = 0; i < 20; i++)
        REQUIRE(allocate_a_round(i));
    for (int i = 0; i < BLOCKS; i++) {
        free(shared.live[i]);
        REQUIRE(bytes_of(i) < LARGE || is_closed(shared.live[i], bytes_of(i)));
    }
    malloc_trim(0);
    char *block = calloc(1, LARGE);
    REQUIRE(block != NULL && is_filled(block, LARGE, 0) && is_guarded(block, LARGE));
    free(block);
}

BODY(forks)
{
    fill_shared();
    for (int i = 0; i < 5; i++)
        REQUIRE(child_ending(live_on, &shared) == 0);
    live_on(&shared); /* what the children did is theirs */
}

BODY(forks_beside_a_thread)
{
    pthread_t thread;

    fill_shared();
    threads_start(&thread, 1, allocate_until_told);
    for (int i = 0; i < 20; i++)
        REQUIRE(child_ending(live_on, NULL) == 0);
    threads_end(&thread, 1);
    for (int i = 0; i < BLOCKS; i++)
        REQUIRE(is_filled(shared.live[i], bytes_of(i), (char)(i + 1)));
}

static const char *const each_way[] = {"", "guard_madvise=0", "profile=strict"};
enum { WAYS = sizeof each_way / sizeof *each_way };

TEST(guards_and_closed_blocks_hold_in_forked_children)
{
    NOT_OVER_GLIBC();
    for (int i = 0; i < WAYS; i++) {
        EXPECT(again_is("forks", each_way[i], 0, ""));
        EXPECT(again_is("forks_beside_a_thread", each_way[i], 0, ""));
    }
}

/* The advice of a program about its own pages. */
static void advise(int advice)
{
    char *block = malloc(LARGE);

    REQUIRE(block != NULL && (uintptr_t)block % PAGE == 0);
    memset(block, 7, LARGE);
    REQUIRE(madvise(block, LARGE, advice) == 0);
    REQUIRE(advice == MADV_FREE || is_filled(block, LARGE, 0));
    REQUIRE(is_guarded(block, LARGE));
    memset(block, 8, LARGE);
    REQUIRE(is_filled(block, LARGE, 8));
    free(block);
    REQUIRE(is_closed(block, LARGE));
}

BODY(gives_its_own_pages_away)
{
    advise(MADV_DONTNEED);
    advise(MADV_FREE);
}

TEST(a_program_may_give_the_pages_of_its_block_away)
{
    NOT_OVER_GLIBC();
    for (int i = 0; i < WAYS; i++)
        EXPECT(again_is("gives_its_own_pages_away", each_way[i], 0, ""));
}

BODY(asks_for_huge_pages)
{
    char *block = malloc(HUGE_BYTES);

    REQUIRE(block != NULL);
    if (madvise(block, HUGE_BYTES, MADV_HUGEPAGE) != 0)
        _exit(errno == EINVAL ? 77 : 1);
    memset(block, 5, HUGE_BYTES);
    REQUIRE(is_filled(block, HUGE_BYTES, 5) && is_guarded(block, HUGE_BYTES));
    (void)madvise(block, HUGE_BYTES, MADV_COLLAPSE); /* as khugepaged would, sooner or later */
    REQUIRE(is_filled(block, HUGE_BYTES, 5) && is_guarded(block, HUGE_BYTES));
    REQUIRE((block = realloc(block, 3 * HUGE_BYTES / 2)) != NULL);
    REQUIRE(is_filled(block, HUGE_BYTES, 5) && is_guarded(block, 3 * HUGE_BYTES / 2));
    REQUIRE((block = realloc(block, HUGE_BYTES / 2)) != NULL);
    REQUIRE(is_filled(block, HUGE_BYTES / 2, 5) && is_guarded(block, HUGE_BYTES / 2));
    free(block);
    REQUIRE(is_closed(block, HUGE_BYTES / 2));
    for (int i = 0; i < 40; i++) {
        REQUIRE((block = calloc(1, HUGE_BYTES)) != NULL && is_filled(block, HUGE_BYTES, 0));
        memset(block, 1, HUGE_BYTES);
        free(block);
    }
}

TEST(a_program_may_ask_for_huge_pages_in_its_block)
{
    NOT_OVER_GLIBC();
    for (int i = 0; i < WAYS; i++) {
        struct again result = again("asks_for_huge_pages", each_way[i]);

        if (result.ending == 77)
            SKIP("this kernel has no huge pages");
        if (!EXPECT(result.ending == 0 && result.text[0] == '\0'))
            again_tell("asks_for_huge_pages", each_way[i], &result);
    }
}

static void require_block(const char *block, size_t bytes, size_t filled)
{
    REQUIRE(block != NULL && is_filled(block, filled, 3) && is_guarded(block, bytes));
}

BODY(changes_the_size_again_and_again)
{
    size_t bytes = 400000;
    char *block = malloc(bytes);
    uint32_t random = 12345;

    memset(block, 3, bytes);
    require_block(block, bytes, bytes);
    for (int i = 0; i < 150; i++) {
        random = random * 1664525 + 1013904223;
        size_t wanted = 270000 + (random >> 8) % (3 * LARGE);
        size_t common = wanted < bytes ? wanted : bytes;

        block = realloc(block, wanted);
        require_block(block, wanted, common);
        memset(block, 3, bytes = wanted);
    }
    free(block);
    REQUIRE(is_closed(block, bytes));
}

TEST(guards_follow_a_block_through_every_change_of_size)
{
    NOT_OVER_GLIBC();
    for (int i = 0; i < WAYS; i++)
        EXPECT(again_is("changes_the_size_again_and_again", each_way[i], 0, ""));
}

BODY(aligns_large_blocks)
{
    for (size_t alignment = 16; alignment <= 4 << 20; alignment *= 4) {
        char *block = aligned_alloc(alignment, 3 * LARGE);

        REQUIRE(block != NULL && (uintptr_t)block % alignment == 0);
        memset(block, 3, 3 * LARGE);
        REQUIRE(faults(block + 3 * LARGE, PROBE_WRITE));
        REQUIRE(alignment > 65536 || faults(block - 1, PROBE_WRITE));
        free(block);
        REQUIRE(is_closed(block, 3 * LARGE));
    }
}

TEST(aligned_large_blocks_are_guarded)
{
    NOT_OVER_GLIBC();
    for (int i = 0; i < WAYS; i++)
        EXPECT(again_is("aligns_large_blocks", each_way[i], 0, ""));
}

/* The count of what mprotect forbids must neither run away nor forget: few blocks live here. */
BODY(uses_large_blocks_for_a_long_time)
{
    for (int i = 0; i < 6000; i++) {
        size_t bytes = 300000 + (size_t)(i % 7) * 50000;
        char *block = malloc(bytes);

        REQUIRE(block != NULL);
        block[0] = block[bytes - 1] = 1;
        if (i % 3 == 0)
            REQUIRE((block = realloc(block, bytes + 9000)) != NULL);
        free(block);
    }
    long mappings = count_mappings(), ranges = figure("guard_mappings");
    long refused = figure("guards_refused");
    char *block = malloc(LARGE);

    if (refused != 0 || ranges > mappings || mappings > 600)
        check_say("%ld mappings, %ld of ours, %ld refused\n", mappings, ranges, refused);
    REQUIRE(refused == 0 && ranges <= mappings && mappings <= 600);
    REQUIRE(block != NULL && is_guarded(block, LARGE));
    free(block);
    REQUIRE(is_closed(block, LARGE));
}

TEST(guards_around_a_few_large_blocks_never_use_the_budget_up)
{
    NOT_OVER_GLIBC();
    for (int i = 0; i < WAYS; i++)
        EXPECT(again_is("uses_large_blocks_for_a_long_time", each_way[i], 0, ""));
    EXPECT(again_is("uses_large_blocks_for_a_long_time", "guard_madvise=0:profile=strict", 0, ""));
}
