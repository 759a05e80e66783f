/* Defects that were found in the library by reading, each with the program that showed it. */
#include "check.h"
#include "child.h"
#include "threads.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

enum { MIB = 1 << 20, FORKS_BESIDE_LARGE = 150 };

static void *volatile sink;

/* Takes all the memory that there is, in blocks down to 16 bytes. */
static void exhaust(void)
{
    for (size_t bytes = MIB; bytes >= 16; bytes /= 2)
        for (int i = 0; i < 4 * MIB; i++)
            if ((sink = malloc(bytes)) == NULL)
                break;
}

static void shrink_without_memory(void *unused)
{
    struct rlimit limit = {256 * MIB, 256 * MIB};
    char *block;

    (void)unused;
    setrlimit(RLIMIT_AS, &limit);
    block = malloc(8 * MIB);
    memset(block, 7, 8 * MIB);
    exhaust();
    block = realloc(block, 200000);
    if (block == NULL || block[199999] != 7)
        _exit(1);
    free(block);
}

/* A large block that shrinks to a small one was moved, and failed without room for the copy. */
TEST(a_block_can_shrink_when_there_is_no_memory)
{
    EXPECT_EQUAL(child_ending(shrink_without_memory, NULL), 0);
}

static void ask_for_nothing_in_locked_memory(void *unused)
{
    (void)unused;
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
        _exit(77);
    for (int i = 0; i < 2000; i++)
        if ((sink = malloc(0)) == NULL)
            _exit(1);
}

/* Guard pages are refused for locked memory, and so is giving it back. */
TEST(a_locked_process_gets_blocks_of_no_bytes)
{
    int ending = child_ending(ask_for_nothing_in_locked_memory, NULL);

    if (ending == 77)
        SKIP("this user may not lock memory");
    EXPECT_EQUAL(ending, 0);
}

static void *use_large_blocks(void *unused)
{
    void *blocks[16];

    while (!atomic_load(&threads_stop)) {
        for (int i = 0; i < 16; i++)
            blocks[i] = malloc(270000 + 8192 * (size_t)i);
        for (int i = 0; i < 16; i++)
            free(blocks[i]);
    }
    return unused;
}

static void use_a_large_block(void *unused)
{
    (void)unused;
    for (int i = 0; i < 50; i++) {
        char *block = malloc(400000);

        if (block == NULL)
            _exit(1);
        block[0] = 1;
        free(block);
    }
}

/* Such a thread has no cache of its own; fork took the process for one of a single thread. */
TEST(children_are_whole_beside_a_thread_that_uses_large_blocks_only)
{
    pthread_t thread;

    threads_start(&thread, 1, use_large_blocks);
    for (int i = 0; i < FORKS_BESIDE_LARGE && check_failures == 0; i++)
        EXPECT_EQUAL(child_ending(use_a_large_block, NULL), 0);
    threads_end(&thread, 1);
}

/* Splits the pages of a block among several mappings, as a debugger's or a runtime's madvise does. */
static void split_mappings(char *block, size_t bytes)
{
    for (size_t k = 1; k < 4; k++)
        madvise((char *)(((uintptr_t)block + k * bytes / 4) & ~(uintptr_t)4095), bytes / 8,
                MADV_DONTDUMP);
}

/* MREMAP_FIXED unmaps its target before it looks at a source of several mappings. */
TEST(a_block_of_several_mappings_grows_with_its_contents)
{
    size_t bytes = 16 * MIB;
    size_t *block = malloc(bytes);
    char *wall = malloc(MIB); /* so that it cannot grow in place */

    for (size_t i = 0; i < bytes / sizeof *block; i++)
        block[i] = i ^ 0x5555;
    split_mappings((char *)block, bytes);
    block = realloc(block, 2 * bytes);
    EXPECT(block != NULL);
    for (size_t i = 0; i < bytes / sizeof *block; i += 64)
        if (block[i] != (i ^ 0x5555) && !EXPECT(block[i] == (i ^ 0x5555)))
            break;
    memset(block, 1, 2 * bytes);
    free(block);
    free(wall);
}

static atomic_bool collide_stop;

static void *lock_often(void *unused)
{
    while (!atomic_load(&collide_stop)) {
        void *block = malloc(500000);

        free(block);
    }
    return unused;
}

/* Thread pointers 64 GiB apart: the holder of a lock was told by 32 bits of them. */
TEST(threads_whose_stacks_lie_64_gib_apart_are_told_apart)
{
    const uintptr_t apart = (uintptr_t)1 << 36;
    const size_t stack_bytes = MIB;
    pthread_t threads[2];
    char *first = mmap(NULL, stack_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    char *second = mmap(first - apart, stack_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    char *const stacks[] = {first, second};

    if (second != first - apart)
        SKIP("no room for such stacks here");
    for (int i = 0; i < 2; i++) {
        pthread_attr_t attributes;

        pthread_attr_init(&attributes);
        pthread_attr_setstack(&attributes, stacks[i], stack_bytes);
        EXPECT(pthread_create(&threads[i], &attributes, lock_often, NULL) == 0);
    }
    usleep(300000);
    atomic_store(&collide_stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

static atomic_bool clock_allocates;

/* In place of libc's, as in programs that fake the time. */
int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (atomic_load(&clock_allocates)) {
        void *volatile small = malloc(64);
        void *volatile large = malloc(400000);

        free(small);
        free(large);
    }
    return (int)syscall(SYS_clock_gettime, clock, time);
}

static void allocate_and_free_much(void *unused)
{
    static void *blocks[40000];

    (void)unused;
    atomic_store(&clock_allocates, true);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 40000; i++)
            blocks[i] = malloc(64 + (size_t)i % 40 * 100);
        for (int i = 0; i < 40000; i++)
            free(blocks[i]);
    }
}

/* The clock was asked for under locks by a name that a program may define. */
TEST(a_program_may_allocate_in_a_clock_of_its_own)
{
    EXPECT_EQUAL(child_ending(allocate_and_free_much, NULL), 0);
}
