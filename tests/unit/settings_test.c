/* What the start makes of the options, seen in a program of its own: this one, run again. */
#include "lifecycle.h"
#include "pool.h"
#include "report.h"
#include "system_pool.h"
#include "test.h"
#include "typed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DESCRIPTOR 7
#define AGAIN "SETTINGS_TEST_AGAIN"

static void free_block(void *block)
{
    sg_pool_free(block, SLOT_LIVE_MALLOC, "free");
}

static void misuse_if_run_again(void)
{
    if (getenv(AGAIN) == NULL)
        return;
    void *block = sg_pool_allocate(40, SLOT_LIVE_MALLOC);

    free_block(block);
    free_block(block);
    _exit(0);
}

/* What came out of `descriptor` of a program that frees a block twice. */
static const char *said_on(int descriptor, const char *settings)
{
    static char text[1000];
    int ends[2], status = 0;
    ssize_t length;

    fflush(stdout);
    if (pipe(ends) != 0)
        return "";
    pid_t child = fork();
    if (child == 0) {
        if (descriptor != STDERR_FILENO)
            close(STDERR_FILENO);
        close(DESCRIPTOR);
        dup2(ends[1], descriptor);
        close(ends[0]);
        setenv("SPANGUARD_OPTIONS", settings, 1);
        setenv(AGAIN, "1", 1);
        execl("/proc/self/exe", "settings_test", NULL);
        _exit(1);
    }
    close(ends[1]);
    length = read(ends[0], text, sizeof(text) - 1);
    text[length < 0 ? 0 : length] = '\0';
    close(ends[0]);
    waitpid(child, &status, 0);
    EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    return text;
}

/* The first test, and the only one that is reached again. */
TEST(a_report_goes_where_the_option_says)
{
    misuse_if_run_again();
    EXPECT(strstr(said_on(STDERR_FILENO, ""), "P203 double free") != NULL);
    EXPECT(strstr(said_on(DESCRIPTOR, "report=fd:7"), "P203 double free") != NULL);
    EXPECT(strstr(said_on(STDERR_FILENO, "report=fd:7"), "P203") != NULL); /* 7 is closed */
    EXPECT(said_on(DESCRIPTOR, "report=stderr")[0] == '\0');
    (void)said_on(STDERR_FILENO, "report=journal"); /* wherever the machine keeps it */
}

static void serve_by_nobody(void)
{
    sg_lifecycle_serve_by_system(NULL);
    abort();
}

TEST(a_missing_other_malloc_is_said)
{
    EXPECT(test_dies_saying(serve_by_nobody, "pool=system has no effect: there is no other"));
}

static void break_an_invariant(void)
{
    sg_panic("here:1", "two is one");
}

static void break_it_without_words(void)
{
    sg_panic_hook = NULL;
    sg_panic("here:1", "two is one");
}

TEST(a_broken_invariant_is_said)
{
    EXPECT(test_dies_saying(break_an_invariant, "broken invariant: two is one"));
    EXPECT(test_dies_saying(break_it_without_words, ""));
}

/* A partition's block is no block of malloc's; partition 0 is malloc. */
TEST(partition_0_is_the_common_memory)
{
    struct typed_statistics before, after;
    char *block, *zeroed;

    sg_typed_statistics(&before);
    block = sg_pool_allocate_typed(100, 0);
    zeroed = sg_pool_allocate_typed_zeroed(5000, 0);
    sg_typed_statistics(&after);
    EXPECT_EQUAL(before.live_bytes, after.live_bytes);
    for (size_t i = 0; i < 5000; i++)
        EXPECT(zeroed[i] == 0);
    free_block(block);
    free_block(zeroed);
}

static void state_too_much_of_typed(void)
{
    void *block = sg_pool_allocate_typed(100, 3);

    sg_pool_free_stated(block, (struct stated){.bytes = 5000}, SLOT_LIVE_MALLOC, "free_sized");
}

/* A block that shrank in place keeps a slot of a larger class: only a smaller one may be stated. */
TEST(a_stated_size_need_not_be_that_of_the_slot)
{
    char *block = sg_pool_reallocate(sg_pool_allocate(1000, SLOT_LIVE_MALLOC), 900, "realloc");

    sg_pool_free_stated(block, (struct stated){.bytes = 900}, SLOT_LIVE_MALLOC, "free_sized");
    block = sg_pool_allocate_typed(100, 3);
    sg_pool_free_stated(block, (struct stated){.bytes = 100}, SLOT_LIVE_MALLOC, "free_sized");
    EXPECT(test_dies_saying(state_too_much_of_typed, "P402 size mismatch: free_sized: size 5000"));
}
