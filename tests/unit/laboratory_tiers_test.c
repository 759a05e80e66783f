/* Each system call of a workload over all tiers fails in turn: a request may get nothing, once;
 * every block keeps its contents; what is asked for again is there; and at the end nothing is lost.
 * Each turn is a child of its own, so that it starts from nothing. */
#include "central_list.h"
#include "laboratory.h"
#include "options.h"
#include "os_guard.h"
#include "page_cache.h"
#include "policy.h"
#include "pool.h"
#include "test.h"
#include "typed.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCKS 64
#define PARTITION 3

static struct {
    unsigned first; /* 0: none fails */
    unsigned count;
    unsigned seen;
    unsigned refused;
} kernel;

#define GUARD_REMOVE 103 /* needs no memory, and the kernel has no other reason to refuse it */

static bool is_of_memory(long number, long advice)
{
    if (number == SYS_madvise)
        return advice != GUARD_REMOVE;
    return number == SYS_mmap || number == SYS_munmap || number == SYS_mprotect ||
           number == SYS_mremap;
}

static bool refuse(long number, const long *arguments, long *ret_result)
{
    if (!is_of_memory(number, arguments[2]))
        return false;
    kernel.seen++;
    if (kernel.first == 0 || kernel.seen < kernel.first ||
        kernel.seen - kernel.first >= kernel.count)
        return false;
    kernel.refused++;
    *ret_result = -ENOMEM;
    return true;
}

static struct {
    char *bytes;
    size_t size;
    char mark;
} blocks[BLOCKS];

/* What went wrong, as the line of the first expectation. */
static int wrong;

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition) && wrong == 0)                                                            \
            wrong = __LINE__;                                                                      \
    } while (0)

static size_t size_of(size_t i)
{
    static const size_t sizes[] = {24, 1000, 9000, 70000, 300000, 500000, 0, 260000};

    return sizes[i % 8] + i;
}

static char *request(size_t i)
{
    switch (i / 8 % 4) {
    case 0:
        return sg_pool_allocate_zeroed(size_of(i));
    case 1:
        return sg_pool_allocate_aligned((size_t)64 << i % 16, size_of(i), SLOT_LIVE_ALIGNED);
    case 2:
        return sg_pool_allocate_typed_zeroed(size_of(i), PARTITION);
    default:
        return sg_pool_allocate(size_of(i), SLOT_LIVE_MALLOC);
    }
}

static void require_whole(size_t i, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += at < 300 || at + 4000 > bytes ? 1 : 1009)
        REQUIRE(blocks[i].bytes[at] == blocks[i].mark);
}

/* A block, at the second time of asking at the latest: by then the kernel accepts again. */
static void take(size_t i)
{
    unsigned before = kernel.refused;
    char *block = request(i);

    if (block == NULL) {
        REQUIRE(kernel.refused != before);
        kernel.count = kernel.seen - kernel.first + 1;
        block = request(i);
    }
    REQUIRE(block != NULL);
    if (block == NULL)
        _exit(1);
    if (i / 8 % 4 % 2 == 0)
        for (size_t at = 0; at < size_of(i); at += 509)
            REQUIRE(block[at] == 0);
    blocks[i].bytes = block;
    blocks[i].size = size_of(i);
    blocks[i].mark = (char)(i + 1);
    memset(block, blocks[i].mark, size_of(i));
}

static void resize(size_t i, size_t bytes)
{
    size_t kept = bytes < blocks[i].size ? bytes : blocks[i].size;
    char *block = sg_pool_reallocate(blocks[i].bytes, bytes, "realloc");

    if (block == NULL) {
        REQUIRE(kernel.refused != 0);
        require_whole(i, blocks[i].size);
        return;
    }
    blocks[i].bytes = block;
    require_whole(i, kept);
    memset(block, blocks[i].mark, bytes);
    blocks[i].size = bytes;
}

static void end(size_t i)
{
    require_whole(i, blocks[i].size);
    sg_pool_free(blocks[i].bytes, SLOT_LIVE_MALLOC, "free");
}

static void workload(void)
{
    for (size_t i = 0; i < BLOCKS; i++)
        take(i);
    for (size_t i = 3; i < BLOCKS; i += 4) {
        resize(i, blocks[i].size * 3);
        resize(i, blocks[i].size + 60000);
        resize(i, blocks[i].size / 4 + 1);
    }
    for (size_t i = 0; i < BLOCKS; i += 2)
        end(i);
    sg_pool_trim(0);
    for (size_t i = 0; i < BLOCKS; i += 2)
        take(i);
    for (size_t i = 0; i < BLOCKS; i++)
        end(i);
}

static void require_nothing_left(void)
{
    struct pool_statistics now;
    struct typed_statistics typed;

    sg_pool_trim(0);
    sg_page_cache_check();
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        sg_central_check(class);
    sg_pool_statistics(&now);
    sg_typed_statistics(&typed);
    REQUIRE(now.live_bytes == 0 && now.large_count == 0 && typed.live_bytes == 0);
}

/* Returns how many calls there were. */
static unsigned run(const char *settings, unsigned first, unsigned count)
{
    int status = -1, ends[2];
    unsigned seen = 0;

    fflush(stdout);
    if (pipe(ends) != 0)
        return 0;
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        sg_options_apply(settings);
        sg_policy_start();
        sg_os_guard_start(sg_options.guard_madvise == 0, sg_options.guard_budget);
        kernel.first = first;
        kernel.count = count;
        laboratory.fault = refuse;
        workload();
        laboratory.fault = NULL;
        require_nothing_left();
        _exit(write(ends[1], &kernel.seen, sizeof(seen)) != sizeof(seen) || wrong != 0
                  ? wrong % 255 + 1
                  : 0);
    }
    close(ends[1]);
    if (read(ends[0], &seen, sizeof(seen)) != sizeof(seen))
        seen = 0;
    close(ends[0]);
    waitpid(child, &status, 0);
    EXPECT_EQUAL(status, 0);
    if (status != 0)
        printf("# %s: %u calls refused from the %uth on\n", settings, count, first);
    return seen;
}

#define TURNS 40 /* of each kind; the more calls there are, the wider the steps */

static void refuse_in_turn(const char *settings, unsigned count)
{
    unsigned calls = run(settings, 0, 0);
    unsigned step = calls / TURNS + 1;

    EXPECT(calls > 50);
    for (unsigned first = 1; first <= calls; first += step)
        run(settings, first, count);
    printf("# %u calls, each %uth refused\n", calls, step);
}

TEST(one_call_fails)
{
    refuse_in_turn("profile=hardened", 1);
}

TEST(one_call_fails_where_guards_split_mappings)
{
    refuse_in_turn("profile=strict:guard_madvise=0", 1);
}

TEST(many_calls_fail_one_after_the_other)
{
    refuse_in_turn("profile=hardened:guard_madvise=0:dirty_bytes=0", 7);
}

TEST(one_call_fails_where_each_block_has_pages_of_its_own)
{
    refuse_in_turn("pool=guarded", 1);
    refuse_in_turn("sample_bytes=1:guard_interval=1", 2);
}
