/* A check or a report is under way, and something else happens. */
#include "bug.h"

#include <dlfcn.h>

#include <fcntl.h>
#include <malloc.h>
#include <setjmp.h>
#include <sys/time.h>

enum { BLOCKS = 2000, BLOCK_BYTES = 3000, CHILDREN = 10, CHILD_SECONDS = 20, RAW_CHILDREN = 15 };

extern void spanguard_check(void) __attribute__((weak));
extern pid_t _Fork(void) __attribute__((weak));

static atomic_bool is_over;

static void *check_once(void *unused)
{
    spanguard_check();
    return unused;
}

static void *check_all_the_time(void *unused)
{
    while (!atomic_load(&is_over))
        spanguard_check();
    return unused;
}

static pthread_t start(void *(*run)(void *), void *argument)
{
    pthread_t thread;

    require(spanguard_check != NULL, "no spanguard_check\n");
    require(pthread_create(&thread, NULL, run, argument) == 0, "no thread\n");
    return thread;
}

static void *allocate_all_the_time(void *unused)
{
    while (!atomic_load(&is_over))
        free(malloc(opaque(300)));
    return unused;
}

/* No handler of fork runs: a child finds locks held by threads that it does not have. */
static void allocate_in_children_of_raw_forks(void)
{
    pthread_t threads[3];

    require(_Fork != NULL, "no _Fork\n");
    for (int i = 0; i < 3; i++)
        threads[i] = start(allocate_all_the_time, NULL);
    for (int child = 0; child < RAW_CHILDREN; child++) {
        pid_t process = _Fork();

        if (process == 0) {
            alarm(CHILD_SECONDS);
            for (int i = 0; i < 100; i++)
                free(malloc(opaque(300)));
            _exit(0);
        }
        if (ending_of(process) != 0) {
            say("a child died\n");
            break;
        }
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    say("on\n");
}

/* The reading end of what is now stderr, and takes no byte more. */
static int fill_stderr(void)
{
    int ends[2];

    require(pipe2(ends, O_NONBLOCK) == 0 && dup2(ends[1], STDERR_FILENO) >= 0, "no pipe\n");
    while (write(ends[1], "x", 1) == 1)
        ;
    require(fcntl(ends[1], F_SETFL, 0) == 0, "no flags\n");
    return ends[0];
}

static void *free_it(void *block)
{
    free(block);
    return NULL;
}

/* The check has the block in its hands until its report is written. */
static void free_while_a_check_reports(void)
{
    char *block = damaged_block(), taken[4096];
    int reading = fill_stderr();
    pthread_t threads[2] = {start(check_once, NULL)};

    usleep(200000);
    threads[1] = start(free_it, block);
    usleep(1500000);
    while (read(reading, taken, sizeof taken) > 0)
        ;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    say("on\n");
}

static void *ask_size(void *block)
{
    if (malloc_usable_size(block) != 24)
        say("another size\n");
    return NULL;
}

/* The first has the block in its hands until its report is written. */
static void ask_for_the_size_while_another_reports(void)
{
    char *block = damaged_block(), taken[4096];
    int reading = fill_stderr();
    pthread_t threads[2] = {start(ask_size, block)};

    usleep(200000);
    threads[1] = start(ask_size, block);
    usleep(1500000);
    while (read(reading, taken, sizeof taken) > 0)
        ;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    say("on\n");
}

static void *ask_size_all_the_time(void *block)
{
    while (!atomic_load(&is_over))
        (void)malloc_usable_size(block);
    return NULL;
}

static void free_in_children_forked_while_sizes_are_asked(void)
{
    void *block = malloc(opaque(24));
    pthread_t asking = start(ask_size_all_the_time, block);

    for (int child = 0; child < 3 * CHILDREN; child++) {
        pid_t process = fork();

        if (process == 0) {
            free(block);
            _exit(0);
        }
        if (ending_of(process) != 0)
            say("a child died\n");
    }
    atomic_store(&is_over, true);
    pthread_join(asking, NULL);
    say("on\n");
}

/* Each child is forked while the other thread has some block in its hands. */
static void free_in_children_forked_during_checks(void)
{
    static void *blocks[BLOCKS];

    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = malloc(opaque(BLOCK_BYTES));
    pthread_t checker = start(check_all_the_time, NULL);
    for (int child = 0; child < CHILDREN; child++) {
        pid_t process = fork();

        if (process == 0) {
            alarm(CHILD_SECONDS);
            for (int i = 0; i < BLOCKS; i++)
                free(blocks[i]);
            _exit(0);
        }
        if (ending_of(process) != 0)
            say("a child died\n");
        usleep((useconds_t)opaque(137));
    }
    atomic_store(&is_over, true);
    pthread_join(checker, NULL);
    say("on\n");
}

static void *signal_all_the_time(void *thread)
{
    for (;;) {
        usleep(50000);
        pthread_kill(*(pthread_t *)thread, SIGUSR2);
    }
    return NULL;
}

static void *take_all_late(void *end)
{
    char taken[4096];

    usleep(400000);
    while (read(*(int *)end, taken, sizeof taken) != 0)
        usleep(1000);
    return NULL;
}

/* Nothing leaks; a check would find the second block. */
static void signals_during_a_report(void)
{
    static char *volatile blocks[2];
    pthread_t self = pthread_self();
    int reading = fill_stderr();

    blocks[0] = damaged_block();
    blocks[1] = damaged_block();
    (void)start(take_all_late, &reading);
    (void)start(signal_all_the_time, &self);
    free(blocks[0]);
}

enum { JUMPS = 300, JUMP_MICROSECONDS = 1000 };

static sigjmp_buf before_check;
static volatile sig_atomic_t jumps, is_in_check;

static void jump_out(int number)
{
    (void)number;
    if (is_in_check == 0)
        return;
    is_in_check = 0;
    jumps = jumps + 1;
    siglongjmp(before_check, 1);
}

static void leave_checks(void)
{
    if (sigsetjmp(before_check, 1) != 0 && jumps == JUMPS)
        return;
    is_in_check = 1;
    for (;;)
        spanguard_check();
}

/* More of them than can be under way at once. */
static void check_after_many_were_left(void)
{
    struct itimerval times = {{0, JUMP_MICROSECONDS}, {0, JUMP_MICROSECONDS}};
    static char *blocks[BLOCKS];

    require(spanguard_check != NULL, "no spanguard_check\n");
    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = malloc(opaque(BLOCK_BYTES));
    require(blocks[BLOCKS - 1] != NULL, "no memory\n");
    require(signal(SIGALRM, jump_out) != SIG_ERR, "no handler\n");
    setitimer(ITIMER_REAL, &times, NULL);
    leave_checks();
    blocks[0] = damaged_block();
    spanguard_check();
    say("not found\n");
    _exit(0);
}

static void leave_report(int number)
{
    (void)number;
    siglongjmp(before_check, 1);
}

/* Who frees it waits until the check that has it is over. */
static void free_what_a_report_was_left_with(void)
{
    static char *volatile block;

    block = damaged_block();
    require(signal(SIGABRT, leave_report) != SIG_ERR, "no handler\n");
    if (sigsetjmp(before_check, 1) == 0)
        spanguard_check();
    require(signal(SIGABRT, SIG_DFL) != SIG_ERR, "no handler\n");
    alarm(CHILD_SECONDS);
    pthread_join(start(free_it, block), NULL);
    say("freed\n");
}

/* Blocks of that size do not wait: their records are soon used again. */
static void write_where_realloc_moved_away_from_long_ago(void)
{
    char *volatile block = malloc(opaque(24));
    char *old = block;

    free(realloc(block, opaque(1000000)));
    for (size_t i = 0; i < 20000; i++)
        free(malloc(opaque(300000 + i)));
    ((volatile char *)old)[opaque(3)] = 'x';
    spanguard_check();
}

struct opened {
    void *handle;
    char *(*make)(size_t);
    const void *start;
};

static struct opened open_plugin(const char *path)
{
    struct opened opened = {dlopen(path, RTLD_NOW | RTLD_LOCAL), NULL, NULL};
    Dl_info info;

    require(opened.handle != NULL, "no plugin\n");
    *(void **)&opened.make = dlsym(opened.handle, "plugin_make");
    require(opened.make != NULL && dladdr(*(void **)&opened.make, &info) != 0, "no function\n");
    opened.start = info.dli_fbase;
    return opened;
}

/* Of each a block that is damaged; both are looked at while the second plugin is where the first
 * was. */
static void after_a_plugin_was_replaced(void)
{
    struct opened first = open_plugin("./first.so"), second;
    char *of_first = first.make(opaque(24)), *of_second;

    dlclose(first.handle);
    second = open_plugin("./second.so");
    require(second.start == first.start, "it lies elsewhere\n");
    of_second = second.make(opaque(24));
    ((volatile char *)of_first)[opaque(24)] = ((volatile char *)of_second)[opaque(24)] = 'x';
    free(of_first);
    free(of_second);
}

/* And what was in another one before that dlclose keeps its names. */
static void after_another_plugin_was_closed(void)
{
    struct opened kept = open_plugin("./first.so"), other = open_plugin("./second.so");
    char *block = kept.make(opaque(24));

    dlclose(other.handle);
    dlclose(open_plugin("./second.so").handle);
    ((volatile char *)block)[opaque(24)] = 'x';
    free(block);
}

const struct body meanwhile[] = {
    {"allocate_in_children_of_raw_forks", allocate_in_children_of_raw_forks},
    {"signals_during_a_report", signals_during_a_report},
    {"write_where_realloc_moved_away_from_long_ago", write_where_realloc_moved_away_from_long_ago},
    {"check_after_many_were_left", check_after_many_were_left},
    {"free_what_a_report_was_left_with", free_what_a_report_was_left_with},
    {"free_while_a_check_reports", free_while_a_check_reports},
    {"ask_for_the_size_while_another_reports", ask_for_the_size_while_another_reports},
    {"free_in_children_forked_while_sizes_are_asked",
     free_in_children_forked_while_sizes_are_asked},
    {"free_in_children_forked_during_checks", free_in_children_forked_during_checks},
    {"after_a_plugin_was_replaced", after_a_plugin_was_replaced},
    {"after_another_plugin_was_closed", after_another_plugin_was_closed},
    {NULL, NULL},
};
