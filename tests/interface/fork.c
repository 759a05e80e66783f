/* fork in a program with threads: parent and child go on allocating. A child that hangs ends
 * itself by SIGALRM, so a deadlock there is told from one in the parent. */
#include "check.h"
#include "child.h"
#include "threads.h"

#include <malloc.h>

enum { THREADS = 3, FORKS = 200 };

static int handler_runs;

static void allocate_in_handler(void)
{
    void *block = malloc(100 + (size_t)handler_runs++ % 3000);

    memset(block, 1, 100);
    free(block);
}

/* Registered before any constructor ran, so its prepare handler runs last: after those of a
 * library that locked itself in its own. */
static void register_early(void)
{
    pthread_atfork(allocate_in_handler, allocate_in_handler, allocate_in_handler);
}
__attribute__((section(".preinit_array"), used)) static void (*early)(void) = register_early;

static void allocate_in_child(void *rounds)
{
    for (unsigned i = 0; i < *(unsigned *)rounds; i++)
        if (!allocate_a_round(i))
            _exit(2);
}

static void use_threads_in_child(void *rounds)
{
    pthread_t threads[2];

    threads_start(threads, 2, allocate_until_told);
    allocate_in_child(rounds);
    threads_end(threads, 2);
}

static void fork_again_in_child(void *rounds)
{
    for (int i = 0; i < 3; i++)
        if (child_status(allocate_in_child, rounds) != 0)
            _exit(3);
}

static void expect_children_end_well(void (*body)(void *), unsigned rounds)
{
    pthread_t threads[THREADS];

    threads_start(threads, THREADS, allocate_until_told);
    for (int i = 0; i < FORKS; i++)
        if (!EXPECT_EQUAL(child_ending(body, &rounds), 0))
            break;
    threads_end(threads, THREADS);
}

TEST(children_of_a_program_with_busy_threads_can_allocate)
{
    expect_children_end_well(allocate_in_child, 30);
}

TEST(children_of_a_program_with_busy_threads_can_have_threads)
{
    expect_children_end_well(use_threads_in_child, 10);
}

TEST(children_can_fork_again)
{
    expect_children_end_well(fork_again_in_child, 5);
}

TEST(fork_handlers_of_the_program_can_allocate)
{
    int before = handler_runs;

    pthread_atfork(allocate_in_handler, allocate_in_handler, allocate_in_handler);
    expect_children_end_well(allocate_in_child, 3);
    EXPECT(handler_runs - before >= 4 * FORKS);
}

static void *fork_until_told(void *unused)
{
    unsigned rounds = 2;

    for (int i = 0; i < 60 && !atomic_load(&threads_stop); i++)
        if (child_status(allocate_in_child, &rounds) != 0)
            abort();
    return unused;
}

TEST(several_threads_can_fork_at_once)
{
    pthread_t busy[2], forking[3];

    threads_start(busy, 2, allocate_until_told);
    threads_start(forking, 3, fork_until_told);
    for (int i = 0; i < 3; i++)
        pthread_join(forking[i], NULL);
    threads_end(busy, 2);
}

/* What the parent allocated is the child's to free, whichever thread did it. */
static void *shared_blocks[300];

static void *fill_shared_blocks(void *unused)
{
    for (int i = 0; i < 300; i++)
        memset(shared_blocks[i] = malloc((size_t)i * 97 + 1), i & 0x7f, (size_t)i * 97 + 1);
    return unused;
}

static void free_shared_blocks(void *unused)
{
    (void)unused;
    for (int i = 0; i < 300; i++) {
        if (*(char *)shared_blocks[i] != (i & 0x7f))
            _exit(4);
        free(shared_blocks[i]);
    }
}

TEST(a_child_can_free_what_the_parents_threads_allocated)
{
    pthread_t thread;

    threads_start(&thread, 1, fill_shared_blocks);
    pthread_join(thread, NULL);
    EXPECT_EQUAL(child_ending(free_shared_blocks, NULL), 0);
    free_shared_blocks(NULL);
}

/* _Fork() runs no handlers: whatever was locked in the parent is locked in the child. */
TEST(children_of_a_bare_fork_in_a_program_with_busy_threads_can_allocate)
{
    pthread_t threads[THREADS];
    unsigned rounds = 20;
    int status = 0;

    NOT_OVER_GLIBC();
    threads_start(threads, THREADS, allocate_until_told);
    for (int i = 0; i < FORKS && status == 0; i++) {
        pid_t child = _Fork();

        if (child == 0) {
            alarm(CHILD_SECONDS / 4);
            allocate_in_child(&rounds);
            _exit(0);
        }
        EXPECT(waitpid(child, &status, 0) == child);
        EXPECT_EQUAL(status, 0);
    }
    threads_end(threads, THREADS);
}
