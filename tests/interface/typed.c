/* spanguard_malloc_typed: what one partition gave up no other and no malloc ever gets. */
#include "check.h"
#include "child.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>

static void *(*malloc_typed)(size_t bytes, unsigned partition);
static void *(*calloc_typed)(size_t count, size_t bytes_each, unsigned partition);

/* Not in this libc, or of C++: the library's. */
static void (*operator_delete)(void *block), (*end_sized)(void *block, size_t bytes);

__attribute__((constructor)) static void find_others(void)
{
    *(void **)&operator_delete = dlsym(RTLD_DEFAULT, "_ZdlPv");
    *(void **)&end_sized = dlsym(RTLD_DEFAULT, "free_sized");
}

/* Before the tests: `main` runs them. */
__attribute__((constructor)) static void find(void)
{
    *(void **)&malloc_typed = dlsym(RTLD_DEFAULT, "spanguard_malloc_typed");
    *(void **)&calloc_typed = dlsym(RTLD_DEFAULT, "spanguard_calloc_typed");
    if (malloc_typed == NULL || calloc_typed == NULL)
        _exit(98); /* no test ran: the runner says so */
}

static bool is_guarded(void)
{
    const char *options = getenv("SPANGUARD_OPTIONS");

    return options != NULL && strstr(options, "guarded") != NULL;
}

enum { REPORT = 128 + SIGABRT, TAKEN_MOST = 10000 };

struct range {
    uintptr_t from, end;
};

static int by_address(const void *one, const void *other)
{
    uintptr_t first = ((const struct range *)one)->from,
              second = ((const struct range *)other)->from;

    return (first > second) - (first < second);
}

/* How many of the blocks lie in one of the ranges, which are sorted and do not overlap. */
static int overlaps(char **blocks, int count, size_t bytes, const struct range *ranges, int most)
{
    int found = 0;

    for (int i = 0; i < count; i++) {
        uintptr_t from = (uintptr_t)blocks[i];
        int low = 0, high = most;

        while (low < high) {
            int middle = (low + high) / 2;

            if (ranges[middle].end > from)
                high = middle;
            else
                low = middle + 1;
        }
        found += low < most && ranges[low].from < from + bytes;
    }
    return found;
}

static char *taken[TAKEN_MOST];
static struct range gone[1000];

static int take(size_t bytes, int count, int partition)
{
    int found;

    for (int i = 0; i < count; i++)
        taken[i] = partition < 0 ? malloc(bytes) : malloc_typed(bytes, (unsigned)partition);
    found = overlaps(taken, count, bytes, gone, 1000);
    for (int i = 0; i < count; i++)
        free(taken[i]);
    return found;
}

/* Blocks of the partition, freed, and then others of that size from everywhere else. */
static void expect_never_back(size_t bytes, int count)
{
    static char *first[1000];

    for (int i = 0; i < 1000; i++) {
        first[i] = malloc_typed(bytes, 1);
        gone[i] = (struct range){(uintptr_t)first[i], (uintptr_t)first[i] + bytes};
    }
    qsort(gone, 1000, sizeof *gone, by_address);
    for (int i = 0; i < 1000; i++)
        free(first[i]);
    EXPECT_EQUAL(take(bytes, count, -1), 0);
    EXPECT_EQUAL(take(bytes, count, 2), 0);
    malloc_trim(0);
    EXPECT_EQUAL(take(bytes, count, -1), 0);
    EXPECT_EQUAL(take(bytes, count, 2), 0);
    EXPECT(take(bytes, 1000, 1) > 0); /* the partition itself uses them again */
}

TEST(no_address_of_a_partition_comes_back_to_another_or_to_malloc)
{
    expect_never_back(16, TAKEN_MOST);
    expect_never_back(100, TAKEN_MOST);
    expect_never_back(4000, TAKEN_MOST);
    expect_never_back(100000, 3000);
    expect_never_back(300000, 3000);
}

TEST(no_address_of_malloc_comes_to_a_partition)
{
    static char *first[1000];

    for (int i = 0; i < 1000; i++) {
        first[i] = malloc(200);
        gone[i] = (struct range){(uintptr_t)first[i], (uintptr_t)first[i] + 200};
    }
    qsort(gone, 1000, sizeof *gone, by_address);
    for (int i = 0; i < 1000; i++)
        free(first[i]);
    malloc_trim(0);
    EXPECT_EQUAL(take(200, TAKEN_MOST, 3), 0);
    EXPECT_EQUAL(take(5000, TAKEN_MOST, 3), 0);
}

TEST(every_size_holds_what_is_written)
{
    for (size_t bytes = 0; bytes < 2000000; bytes += bytes / 3 + 1) {
        unsigned char *one = malloc_typed(bytes, 4), *other = calloc_typed(1, bytes, 5);
        int wrong = 0;

        if (!EXPECT(one != NULL && other != NULL && (uintptr_t)one % 16 == 0))
            return;
        EXPECT(malloc_usable_size(one) >= bytes);
        memset(one, 0xa5, bytes);
        for (size_t i = 0; i < bytes; i++)
            wrong += other[i] != 0;
        memset(other, 0x5a, bytes);
        for (size_t i = 0; i < bytes; i++)
            wrong += one[i] != 0xa5;
        EXPECT_EQUAL(wrong, 0);
        free(one);
        free(other);
    }
}

TEST(calloc_typed_is_zero_after_dirty_blocks)
{
    for (size_t bytes = 16; bytes < 700000; bytes = bytes * 5 / 2) {
        for (int round = 0; round < 30; round++) {
            unsigned char *block = calloc_typed(bytes / 4, 4, 6);
            int wrong = 0;

            for (size_t i = 0; i < bytes / 4 * 4; i++)
                wrong += block[i] != 0;
            EXPECT_EQUAL(wrong, 0);
            memset(block, 0xff, bytes / 4 * 4);
            free(block);
        }
    }
}

/* A block of partition 7 keeps to addresses that untyped blocks and partition 8 never have. */
TEST(realloc_keeps_the_content_and_stays_in_the_partition)
{
    char *block = malloc_typed(10, 7);

    memset(block, 0x33, 10);
    for (size_t bytes = 11; bytes < 1000000; bytes = bytes * 4 / 3 + 1) {
        block = realloc(block, bytes);
        if (!EXPECT(block != NULL && block[9] == 0x33))
            return;
        memset(block, 0x33, bytes);
    }
    block = realloc(block, 64);
    EXPECT(block != NULL && block[63] == 0x33);
    for (int i = 0; i < 1000; i++)
        gone[i] =
            (struct range){UINTPTR_MAX - 1000 + (uintptr_t)i, UINTPTR_MAX - 1000 + (uintptr_t)i};
    gone[0] = (struct range){(uintptr_t)block, (uintptr_t)block + 64};
    free(block);
    EXPECT_EQUAL(take(64, TAKEN_MOST, -1), 0);
    EXPECT_EQUAL(take(64, TAKEN_MOST, 8), 0);
    if (!is_guarded()) /* there a block lies anywhere in the room of the last one */
        EXPECT(take(64, TAKEN_MOST, 7) > 0);
}

TEST(a_partition_that_is_none_is_EINVAL)
{
    static const unsigned wrong[] = {64, 65, 1000, ~0u};

    for (int i = 0; i < 4; i++) {
        errno = 0;
        EXPECT(malloc_typed(10, wrong[i]) == NULL);
        EXPECT_EQUAL(errno, EINVAL);
        errno = 0;
        EXPECT(calloc_typed(1, 10, wrong[i]) == NULL);
        EXPECT_EQUAL(errno, EINVAL);
    }
    errno = 0;
    EXPECT(malloc_typed(opaque(SIZE_MAX / 2 + 1), 1) == NULL);
    EXPECT_EQUAL(errno, ENOMEM);
    errno = 0;
    EXPECT(calloc_typed(opaque(SIZE_MAX / 2), 4, 1) == NULL);
    EXPECT_EQUAL(errno, ENOMEM);
}

TEST(partition_0_is_that_of_malloc_and_all_others_exist)
{
    for (unsigned partition = 0; partition < 64; partition++) {
        char *block = malloc_typed(100, partition);

        if (!EXPECT(block != NULL))
            return;
        memset(block, 1, 100);
        free(block);
    }
}

static void free_twice(void *block)
{
    close(STDERR_FILENO);
    free(block);
    free(block);
}

static void free_inside(void *block)
{
    close(STDERR_FILENO);
    free((char *)block + 16);
}

static void delete_it(void *block)
{
    close(STDERR_FILENO);
    operator_delete(block);
}

static void overflow(void *block)
{
    close(STDERR_FILENO);
    ((char *)block)[malloc_usable_size(block)] = 1;
    free(block);
}

static void write_after_free(void *block)
{
    size_t bytes = malloc_usable_size(block);

    close(STDERR_FILENO);
    free(block);
    *(volatile char *)block = 1;
    for (int i = 0; i < 20000; i++)
        (void)!malloc_typed(bytes, 9);
}

TEST(misuse_is_reported_as_everywhere)
{
    static const size_t sizes[] = {24, 200, 5000, 300000};

    for (int i = 0; i < 4; i++) {
        char *block = malloc_typed(sizes[i], 9);

        EXPECT_EQUAL(child_ending(free_twice, block), REPORT);
        EXPECT_EQUAL(child_ending(free_inside, block), REPORT);
        EXPECT_EQUAL(child_ending(delete_it, block), REPORT);
        EXPECT(child_ending(overflow, block) >= REPORT);         /* or a fault */
        EXPECT(child_ending(write_after_free, block) >= REPORT); /* a report or a fault */
        end_sized(block, sizes[i]);
    }
}

/* Nobody can foretell which slot comes next. */
TEST(slots_come_in_no_order)
{
    enum { COUNT = 200 };
    char *blocks[COUNT];
    int ascending = 0;

    for (int i = 0; i < COUNT; i++)
        blocks[i] = malloc_typed(64, 10);
    for (int i = 1; i < COUNT; i++)
        ascending += blocks[i] == blocks[i - 1] + 80;
    EXPECT(ascending < COUNT / 4);
    for (int i = 0; i < COUNT; i++)
        free(blocks[i]);
}

static size_t resident_kib(void)
{
    char text[4096];
    FILE *status = fopen("/proc/self/status", "r");
    size_t length = fread(text, 1, sizeof text - 1, status), kib = 0;

    fclose(status);
    text[length] = '\0';
    sscanf(strstr(text, "VmRSS:"), "VmRSS: %zu", &kib);
    return kib;
}

TEST(memory_goes_back_and_addresses_stay)
{
    enum { COUNT = 100000 };
    static char *blocks[COUNT];
    size_t before = resident_kib();

    for (int i = 0; i < COUNT; i++)
        memset(blocks[i] = malloc_typed(1000, 11), 1, 1000);
    EXPECT(resident_kib() > before + 90000);
    for (int i = 0; i < COUNT; i++)
        free(blocks[i]);
    EXPECT(resident_kib() < before + 15000);
}

static void *_Atomic shelf[64];

static void *work(void *seed)
{
    unsigned random = (unsigned)(uintptr_t)seed;

    for (int i = 0; i < 40000; i++) {
        random = random * 1103515245 + 12345;
        unsigned bytes = i % 500 == 0 ? 300000 : random >> 8 & 0x3ff;
        char *block = malloc_typed(bytes, 12 + (random >> 20 & 3));

        memset(block, 7, bytes);
        free(__atomic_exchange_n((void **)&shelf[random >> 24 & 63], block, __ATOMIC_ACQ_REL));
    }
    return NULL;
}

static void work_in_child(void *seed)
{
    (void)work(seed);
}

TEST(threads_and_children_share_partitions)
{
    pthread_t threads[3];

    for (uintptr_t i = 0; i < 3; i++)
        EXPECT_EQUAL(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
    for (int i = 0; i < 10; i++)
        EXPECT_EQUAL(child_ending(work_in_child, (void *)9), 0);
    for (int i = 0; i < 3; i++)
        EXPECT_EQUAL(pthread_join(threads[i], NULL), 0);
}
