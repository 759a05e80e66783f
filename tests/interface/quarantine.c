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
    static const size_t sizes[] = {262128, 262136, 262137,    262144,
                                   262145, LARGE,  LARGE + 1, 4 * LARGE};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int round = 0; round < 100; round++)
            if (comes_back(sizes[i])) {
                check_say("a block of %zu bytes came back at once\n", sizes[i]);
                _exit(1);
            }
}

/* Longer than all that the quarantine keeps the memory of, in a heap that is large besides. */
BODY(frees_and_allocates_20_MiB)
{
    for (int i = 0; i < 100; i++)
        REQUIRE(memset(malloc(LARGE), 1, LARGE) != NULL);
    for (int round = 0; round < 20; round++)
        REQUIRE(!comes_back(20 * LARGE));
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

TEST(nor_does_a_block_of_20_MiB)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("frees_and_allocates_20_MiB", "", 0, ""));
    EXPECT(again_is("frees_and_allocates_20_MiB", "profile=strict", 0, ""));
    EXPECT(again_is("frees_and_allocates_20_MiB", "guard_madvise=0", 0, ""));
}

/* Chance takes one of many, so some come back soon; but not half of them. */
enum { HELD_LARGE = 8, ROUNDS = 256 };

BODY(frees_and_allocates_large_blocks_in_a_row)
{
    static uintptr_t held[HELD_LARGE];
    size_t early = 0;

    for (size_t round = 0; round < ROUNDS; round++) {
        char *block = memset(malloc(LARGE), 1, LARGE);

        for (size_t i = 0; i < HELD_LARGE; i++)
            early += held[i] == (uintptr_t)block;
        held[round % HELD_LARGE] = (uintptr_t)block;
        free(block);
    }
    REQUIRE(early < ROUNDS / 2);
}

TEST(nor_do_large_blocks_of_a_strict_heap_for_long)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("frees_and_allocates_large_blocks_in_a_row",
                    "profile=strict:sample_bytes=0:span_quarantine=256", 0, ""));
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

struct waits {
    int mean, commonest, different;
};

static struct waits measure(size_t bytes)
{
    static int counts[WAIT_MOST + 1];
    struct waits waits = {0};
    long sum = 0;

    memset(counts, 0, sizeof counts);
    for (int i = 0; i < TRIALS; i++) {
        void *block = malloc(bytes);

        free(block);
        int wait = wait_for((uintptr_t)block, bytes);
        sum += wait;
        waits.different += counts[wait]++ == 0;
        waits.commonest = counts[wait] > waits.commonest ? counts[wait] : waits.commonest;
    }
    waits.mean = (int)(sum / TRIALS);
    return waits;
}

static void require_waits(size_t bytes, struct waits least)
{
    struct waits waits = measure(bytes);
    bool good = waits.mean >= least.mean && waits.different >= least.different &&
                waits.commonest <= least.commonest;

    if (!good)
        check_say("%zu bytes: mean wait %d, %d different, the commonest %d of %d times\n", bytes,
                  waits.mean, waits.different, waits.commonest, TRIALS);
    REQUIRE(good);
}

static const size_t measured[] = {24, 64, 200, 1000, 4000};
enum { MEASURED = sizeof measured / sizeof *measured };

static void use_many(size_t bytes)
{
    static void *blocks[100];

    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 100; i++)
            REQUIRE((blocks[i] = malloc(bytes)) != NULL);
        for (int i = 0; i < 100; i++)
            free(blocks[i]);
    }
}

/* With q slots in quarantine each free drives a random one of them out: a wait of n pairs has the
 * probability (1 - 1/q)^n / q. Its mean is q, and no single wait is common. */
BODY(waits_for_one_of_many_blocks)
{
    for (int i = 0; i < MEASURED; i++) {
        use_many(measured[i]);
        /* The quarantine is bounded by bytes too: 8 blocks of 4,000. */
        require_waits(measured[i], measured[i] < 4000 ? (struct waits){20, TRIALS / 8, 40}
                                                      : (struct waits){4, 50, 12});
    }
}

/* One block at a time, as a server does that works off one request after the other. */
BODY(waits_for_the_only_block)
{
    for (int i = 0; i < MEASURED; i++)
        require_waits(measured[i], (struct waits){1, TRIALS * 3 / 4, 4});
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
    EXPECT(again_is("waits_for_one_of_many_blocks", "", 0, ""));
    EXPECT(again_is("waits_for_one_of_many_blocks", "profile=strict", 0, ""));
    EXPECT(again_is("waits_for_nothing", "quarantine_slots=0:sample_bytes=0", 0, ""));
}

TEST(when_the_only_block_comes_back_is_random)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("waits_for_the_only_block", "", 0, ""));
    EXPECT(again_is("waits_for_the_only_block", "profile=strict", 0, ""));
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
