/* Guards behind spans by the hundred thousand: cheap in mappings where the kernel has guards by
 * madvise, few and harmless where it has not. */
#include "again.h"
#include "probe.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* One slot makes a span of the long blocks, 24 make one of the short ones. The long ones fill
 * their span: behind them is the guard. */
enum {
    SPANS_OF_LONG = 90000,
    SPANS_OF_SHORT = 10500,
    SHORTS_EACH = 24,
    SHORT_BYTES = 1000,
    LONG_SLOT = 139264,
    LONG_BYTES = LONG_SLOT - 8, /* less the canary */
    PROBED = 50,
    GUARD = 8192,
    LARGE = 1 << 20,
    RESIDENT_MOST_KB = 2 << 20,
};

static char *longs[SPANS_OF_LONG];
static char *shorts[SPANS_OF_SHORT * SHORTS_EACH];

static void allocate_all(void)
{
    for (int i = 0; i < SPANS_OF_LONG; i++) {
        REQUIRE((longs[i] = malloc(LONG_BYTES)) != NULL);
        longs[i][LONG_BYTES - 1] = (char)i;
    }
    for (int i = 0; i < SPANS_OF_SHORT * SHORTS_EACH; i++) {
        REQUIRE((shorts[i] = malloc(SHORT_BYTES)) != NULL);
        shorts[i][0] = (char)i;
    }
}

static void free_all(void)
{
    for (int i = 0; i < SPANS_OF_LONG; i++) {
        REQUIRE(longs[i][LONG_BYTES - 1] == (char)i);
        free(longs[i]);
    }
    for (int i = 0; i < SPANS_OF_SHORT * SHORTS_EACH; i++) {
        REQUIRE(shorts[i][0] == (char)i);
        free(shorts[i]);
    }
}

static void require_mappings_below(long most)
{
    long count = count_mappings();

    if (count >= most)
        check_say("%ld mappings, at most %ld expected\n", count, most);
    REQUIRE(count < most);
}

static long mappings_most(void)
{
    return number_in("/proc/sys/vm/max_map_count", "") * 6 / 10;
}

/* How many of a sample have their guard: the first byte without access is where the span ends. */
static int count_guarded(void)
{
    int guarded = 0;

    for (int i = 0; i < PROBED; i++) {
        char *block = longs[(size_t)i * (SPANS_OF_LONG / PROBED)];

        guarded += readable_bytes(block + LONG_BYTES, 64) == LONG_SLOT - LONG_BYTES &&
                   faults(block + LONG_SLOT, PROBE_WRITE) &&
                   faults(block + LONG_SLOT + GUARD - 1, PROBE_READ);
    }
    return guarded;
}

static void use_large_blocks(void);

BODY(has_100000_guarded_spans)
{
    allocate_all();
    REQUIRE(figure("guard_bytes") >= 100000l * GUARD);
    REQUIRE(figure("guards_refused") == 0);
    require_mappings_below(300);
    REQUIRE(count_guarded() >= PROBED - 1); /* a sampled block lies elsewhere */
    REQUIRE(number_in("/proc/self/status", "VmRSS:") < RESIDENT_MOST_KB);
    use_large_blocks();
    free_all();
    malloc_trim(0);
    require_mappings_below(300);
    REQUIRE(figure("guard_bytes") < 1000l * GUARD);
    use_large_blocks();
}

/* As a kernel without guard madvise: a budget, and what it refuses does no harm. */
BODY(has_100000_spans_and_guards_by_mprotect)
{
    allocate_all();
    REQUIRE(figure("guards_refused") > 0);
    REQUIRE(figure("guard_mappings") > 10000);
    require_mappings_below(mappings_most());
    REQUIRE(number_in("/proc/self/status", "VmRSS:") < RESIDENT_MOST_KB);
    REQUIRE(count_guarded() >= 5);
    use_large_blocks();
    free_all();
    malloc_trim(0);
    require_mappings_below(mappings_most());
    use_large_blocks();
}

/* What is opened again must not count as more room than it was: the kernel's bound is near. */
BODY(allocates_again_with_guards_by_mprotect)
{
    for (int round = 0; round < 3; round++) {
        allocate_all();
        require_mappings_below(mappings_most());
        REQUIRE(figure("guard_mappings") > 10000);
        free_all();
        require_mappings_below(mappings_most());
    }
    use_large_blocks();
}

BODY(has_a_budget_of_100)
{
    allocate_all();
    REQUIRE(figure("guards_refused") > 90000);
    REQUIRE(figure("guard_mappings") <= 110);
    require_mappings_below(400);
    use_large_blocks();
    free_all();
    malloc_trim(0);
    use_large_blocks();
    REQUIRE(figure("guard_mappings") <= 110);
    require_mappings_below(600);
}

/* Resizes blocks of several sizes through zeroes, growth and shrinking, with other contents in
 * each. */
static void use_large_block(size_t bytes, char with)
{
    char *block = calloc(1, bytes);

    REQUIRE(block != NULL && is_filled(block, bytes, 0));
    memset(block, with, bytes);
    REQUIRE((block = realloc(block, 2 * bytes)) != NULL && is_filled(block, bytes, with));
    memset(block, with, 2 * bytes);
    REQUIRE((block = realloc(block, bytes / 2)) != NULL && is_filled(block, bytes / 2, with));
    free(block);
}

static void use_large_blocks(void)
{
    static char *kept[40];

    for (int i = 0; i < 40; i++) {
        size_t bytes = 263000 + (size_t)i * 20011;

        use_large_block(bytes, (char)(i + 1));
        REQUIRE((kept[i] = malloc(bytes)) != NULL);
        memset(kept[i], i + 1, bytes);
        if (i % 10 == 9)
            malloc_trim(0);
    }
    for (int i = 0; i < 40; i++) {
        REQUIRE(is_filled(kept[i], 263000 + (size_t)i * 20011, (char)(i + 1)));
        free(kept[i]);
    }
    for (int i = 0; i < 4; i++) {
        char *block = calloc(1, 4 * LARGE);

        REQUIRE(block != NULL && is_filled(block, 4 * LARGE, 0));
        memset(block, 1, 4 * LARGE);
        free(block);
    }
}

static pthread_t first_thread;

static void *look_when_alone(void *unused)
{
    pthread_join(first_thread, NULL);
    REQUIRE(figure("guard_mappings") > 10);
    _exit(0);
    return unused;
}

/* /proc/self lists no mappings then. */
BODY(counts_guards_when_the_first_thread_has_ended)
{
    pthread_t other;

    for (int i = 0; i < 20; i++)
        REQUIRE(malloc(300000) != NULL);
    first_thread = pthread_self();
    REQUIRE(pthread_create(&other, NULL, look_when_alone, NULL) == 0);
    syscall(SYS_exit, 0); /* before main there is no frame that pthread_exit could go back to */
}

TEST(guards_are_counted_when_the_first_thread_has_ended)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("counts_guards_when_the_first_thread_has_ended", "guard_madvise=0", 0, ""));
}

TEST(a_hundred_thousand_guarded_spans_take_few_mappings)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("has_100000_guarded_spans", "sample_bytes=0", 0, ""));
}

TEST(without_guard_madvise_the_budget_holds_and_no_allocation_fails)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("has_100000_spans_and_guards_by_mprotect", "guard_madvise=0", 0, ""));
}

TEST(without_guard_madvise_the_budget_holds_when_memory_is_used_again)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("allocates_again_with_guards_by_mprotect", "guard_madvise=0", 0, ""));
}

TEST(guard_budget_bounds_the_guards_by_mprotect)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("has_a_budget_of_100", "guard_madvise=0:guard_budget=100", 0, ""));
}

/* ---- locked memory ---- */

enum { LOCKED_COUNT = 300 };

static size_t locked_bytes(int i)
{
    static const size_t sizes[] = {24, 900, 5000, 20000, 300000};

    return sizes[i % 5] + (size_t)i;
}

static void churn_locked(void)
{
    static char *blocks[LOCKED_COUNT];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < LOCKED_COUNT; i++) {
            blocks[i] = calloc(1, locked_bytes(i));
            REQUIRE(blocks[i] != NULL && is_filled(blocks[i], locked_bytes(i), 0));
            memset(blocks[i], i | 1, locked_bytes(i));
        }
        for (int i = 0; i < LOCKED_COUNT; i++) {
            REQUIRE(is_filled(blocks[i], locked_bytes(i), (char)(i | 1)));
            free(blocks[i]);
        }
        malloc_trim(0);
    }
}

static void lock_or_leave(void)
{
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
        _exit(77);
}

static void expect_guards_around_large(void)
{
    char *block = malloc(LARGE);

    REQUIRE(block != NULL && faults(block + LARGE, PROBE_WRITE) && faults(block - 1, PROBE_WRITE));
    free(block);
    REQUIRE(faults(block, PROBE_READ) && faults(block + LARGE - 1, PROBE_WRITE));
}

BODY(locks_its_memory_first)
{
    lock_or_leave();
    churn_locked();
    expect_guards_around_large();
}

BODY(locks_its_memory_in_between)
{
    char *kept = calloc(1, LARGE);

    churn_locked();
    lock_or_leave();
    churn_locked();
    REQUIRE(is_filled(kept, LARGE, 0));
    expect_guards_around_large();
    munlockall();
    churn_locked();
    expect_guards_around_large();
}

static void expect_locked(const char *body, const char *options)
{
    struct again result = again(body, options);

    if (result.ending == 77)
        check_skipped = "this user may not lock memory";
    else if (!EXPECT(result.ending == 0 && result.text[0] == '\0'))
        again_tell(body, options, &result);
}

TEST(locked_memory_works_and_calloc_is_zero)
{
    static const char *const options[] = {"", "guard_madvise=0", "profile=strict",
                                          "profile=fast:guard_free=1"};

    NOT_OVER_GLIBC();
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        expect_locked("locks_its_memory_first", options[i]);
        expect_locked("locks_its_memory_in_between", options[i]);
    }
}
