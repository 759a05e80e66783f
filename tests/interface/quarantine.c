/* A freed block does not come back at once, and nobody can foretell when it does. */
#include "again.h"

#include <pthread.h>

enum {
    THREADS_IN_A_ROW = 10000,
    LARGE = 1 << 20,
    TRIALS = 200,
    WAIT_MOST = 4000,
};

/* Ends of classes and their neighbours: each class has at least one of these. */
static size_t size_after(size_t bytes)
{
    return bytes < 1040 ? bytes + 8 : bytes < 8192 ? bytes + 32 : bytes + 512;
}

static bool comes_back(size_t bytes)
{
    char *first = malloc(bytes);
    uintptr_t address = (uintptr_t)first;

    first[0] = 1;
    free(first);
    char *second = malloc(bytes);
    bool same = (uintptr_t)second == address;
    free(second);
    return same;
}

BODY(frees_and_allocates_each_size)
{
    for (size_t bytes = 1; bytes <= 263168; bytes = size_after(bytes))
        for (int i = 0; i < 4; i++)
            if (comes_back(bytes)) {
                check_say("a block of %zu bytes came back at once\n", bytes);
                _exit(1);
            }
}

BODY(frees_and_allocates_the_last_sizes)
{
    static const size_t sizes[] = {262128, 262136, 262137, 262144, 262145, LARGE,
                                   LARGE + 1, 4 * LARGE, 20 * LARGE};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int round = 0; round < 100; round++)
            if (comes_back(sizes[i])) {
                check_say("a block of %zu bytes came back at once\n", sizes[i]);
                _exit(1);
            }
}

TEST(a_block_just_freed_does_not_come_back)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("frees_and_allocates_each_size", "", 0, ""));
    EXPECT(again_is("frees_and_allocates_each_size", "profile=strict", 0, ""));
    EXPECT(again_is("frees_and_allocates_the_last_sizes", "", 0, ""));
    EXPECT(again_is("frees_and_allocates_the_last_sizes", "profile=strict", 0, ""));
    EXPECT(again_is("frees_and_allocates_the_last_sizes", "guard_madvise=0", 0, ""));
}

static void *try_some_sizes(void *argument)
{
    static const size_t sizes[] = {1, 24, 100, 500, 1000, 4000, 30000, 100000, 262144, LARGE};
    size_t number = (size_t)argument;
    size_t first = sizes[number % 10], second = sizes[number / 10 % 10];

    return (void *)(uintptr_t)(comes_back(first) ? first : comes_back(second) ? second : 0);
}

BODY(frees_and_allocates_in_threads)
{
    for (size_t i = 0; i < THREADS_IN_A_ROW; i++) {
        pthread_t thread;
        void *bytes;

        REQUIRE(pthread_create(&thread, NULL, try_some_sizes, (void *)i) == 0);
        pthread_join(thread, &bytes);
        if (bytes != NULL) {
            check_say("thread %zu: a block of %zu bytes came back at once\n", i, (size_t)bytes);
            _exit(1);
        }
    }
}

TEST(nor_in_ten_thousand_threads_that_live_shortly)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("frees_and_allocates_in_threads", "", 0, ""));
}

/* After how many pairs of malloc and free the block is there again. */
static int wait_for(uintptr_t address, size_t bytes)
{
    for (int i = 0; i < WAIT_MOST; i++) {
        void *block = malloc(bytes);
        bool same = (uintptr_t)block == address;

        free(block);
        if (same)
            return i;
    }
    return WAIT_MOST;
}

/* With q slots in quarantine, each free drives a random one of them out: a wait of n pairs has the
 * probability (1 - 1/q)^n / q, so its mean is about q and no single wait is common. */
static void measure(size_t bytes, int mean_least, int common_most)
{
    static int counts[WAIT_MOST + 1];
    long sum = 0;
    int commonest = 0, different = 0;

    memset(counts, 0, sizeof counts);
    for (int i = 0; i < 300; i++)
        free(malloc(bytes));
    for (int i = 0; i < TRIALS; i++) {
        void *block = malloc(bytes);

        free(block);
        int wait = wait_for((uintptr_t)block, bytes);
        sum += wait;
        different += counts[wait]++ == 0;
        commonest = counts[wait] > commonest ? counts[wait] : commonest;
    }
    if (sum / TRIALS < mean_least || commonest > common_most || different < 20)
        check_say("%zu bytes: mean wait %ld, %d different, the commonest %d times\n", bytes,
                  sum / TRIALS, different, commonest);
    REQUIRE(sum / TRIALS >= mean_least && commonest <= common_most && different >= 20);
}

BODY(waits_for_blocks)
{
    measure(64, 20, TRIALS / 5);
    measure(200, 20, TRIALS / 5);
    measure(1000, 20, TRIALS / 5);
}

BODY(waits_for_nothing)
{
    int soon = 0;

    for (int i = 0; i < 100; i++)
        soon += comes_back(64);
    REQUIRE(soon > 90);
}

TEST(when_a_block_comes_back_is_random)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("waits_for_blocks", "", 0, ""));
    EXPECT(again_is("waits_for_blocks", "profile=strict", 0, ""));
    EXPECT(again_is("waits_for_nothing", "quarantine_slots=0:sample_bytes=0", 0, ""));
}

enum { ORDER = 40 };

/* The order in which the blocks of a new span are handed out, as distances. */
BODY(tells_an_order)
{
    char *blocks[ORDER];

    for (int i = 0; i < ORDER; i++)
        REQUIRE((blocks[i] = malloc(48)) != NULL);
    for (int i = 1; i < ORDER; i++)
        check_say("%ld ", (long)(blocks[i] - blocks[i - 1]));
}

TEST(two_processes_hand_out_their_blocks_in_different_orders)
{
    NOT_OVER_GLIBC();
    char first[AGAIN_TEXT_MOST];

    strcpy(first, again("tells_an_order", "").text);
    struct again second = again("tells_an_order", "");
    EXPECT_EQUAL(second.ending, 0);
    EXPECT(strlen(first) > ORDER && strcmp(first, second.text) != 0);
}
