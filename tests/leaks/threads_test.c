/* What other threads hold, and threads that come, go and wait while they are stopped. */
#include "program.h"

#include "../unit/test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Atomic hidden given;
static _Atomic bool is_ready, may_end;
static __thread void *local;

static void wait_until(_Atomic bool *flag)
{
    while (!atomic_load(flag))
        usleep(1000);
}

/* Bytes that leak while `body` runs in another thread, and after it ended. */
static void expect_kept_by(void *(*body)(void *), uint64_t while_it_runs)
{
    pthread_t thread;

    double_reset();
    atomic_store(&is_ready, false);
    atomic_store(&may_end, false);
    atomic_store(&given, make_hidden(24, 1));
    EXPECT(pthread_create(&thread, NULL, body, NULL) == 0);
    wait_until(&is_ready);
    EXPECT_EQUAL(leaked_bytes(), while_it_runs);
    atomic_store(&may_end, true);
    pthread_join(thread, NULL);
    memset(&thread, 0, sizeof(thread));
    EXPECT_EQUAL(leaked_bytes(), 24);
}

static void *hold_nothing(void *unused)
{
    atomic_store(&is_ready, true);
    wait_until(&may_end);
    return unused;
}

TEST(a_thread_that_holds_nothing_keeps_nothing)
{
    expect_kept_by(hold_nothing, 24);
}

#if defined(__x86_64__)
static void *hold_in_register(void *unused)
{
    __asm__ volatile("mov %[given], %%r12\n\tnot %%r12\n\tmovb $1, %[ready]\n"
                     "1:\tpause\n\tcmpb $0, %[end]\n\tje 1b\n\txor %%r12d, %%r12d"
                     : [ready] "=m"(is_ready)
                     : [given] "r"(atomic_load(&given)), [end] "m"(may_end)
                     : "r12", "memory");
    return unused;
}

TEST(a_register_of_another_thread_keeps_a_block)
{
    expect_kept_by(hold_in_register, 0);
}

static void *hold_in_vector_register(void *unused)
{
    __asm__ volatile("mov %[given], %%r12\n\tnot %%r12\n\tmovq %%r12, %%xmm9\n\t"
                     "punpcklqdq %%xmm9, %%xmm9\n\txor %%r12d, %%r12d\n\tmovb $1, %[ready]\n"
                     "1:\tpause\n\tcmpb $0, %[end]\n\tje 1b\n\tpxor %%xmm9, %%xmm9"
                     : [ready] "=m"(is_ready)
                     : [given] "r"(atomic_load(&given)), [end] "m"(may_end)
                     : "r12", "xmm9", "memory");
    return unused;
}

TEST(a_vector_register_of_another_thread_keeps_a_block)
{
    expect_kept_by(hold_in_vector_register, 0);
}

static void *hold_below_stack(void *unused)
{
    __asm__ volatile("mov %[given], %%r12\n\tnot %%r12\n\tmov %%r12, -64(%%rsp)\n\t"
                     "xor %%r12d, %%r12d\n\tmovb $1, %[ready]\n"
                     "1:\tpause\n\tcmpb $0, %[end]\n\tje 1b\n\tmovq $0, -64(%%rsp)"
                     : [ready] "=m"(is_ready)
                     : [given] "r"(atomic_load(&given)), [end] "m"(may_end)
                     : "r12", "memory");
    return unused;
}

TEST(the_red_zone_below_a_stack_pointer_keeps_a_block)
{
    expect_kept_by(hold_below_stack, 0);
}
#endif

static void *hold_on_stack(void *unused)
{
    void *volatile automatic = NULL;

    store_at((void *)&automatic, atomic_load(&given));
    atomic_store(&is_ready, true);
    wait_until(&may_end);
    automatic = NULL;
    return unused;
}

TEST(the_stack_of_another_thread_keeps_a_block)
{
    expect_kept_by(hold_on_stack, 0);
}

static void *hold_in_storage(void *unused)
{
    store_at(&local, atomic_load(&given));
    atomic_store(&is_ready, true);
    wait_until(&may_end);
    local = NULL;
    return unused;
}

TEST(thread_local_storage_of_another_thread_keeps_a_block)
{
    expect_kept_by(hold_in_storage, 0);
}

static pthread_key_t key;

static void *hold_by_key(void *unused)
{
    pthread_setspecific(key, seen(atomic_load(&given)));
    forget();
    atomic_store(&is_ready, true);
    wait_until(&may_end);
    pthread_setspecific(key, NULL);
    return unused;
}

TEST(a_thread_specific_value_keeps_a_block)
{
    EXPECT(pthread_key_create(&key, NULL) == 0);
    expect_kept_by(hold_by_key, 0);
}

/* Deep enough that what the thread calls next does not reach it. */
static __attribute__((noinline)) void leave_behind(hidden pointer)
{
    void *volatile room[4096];

    store_at((void *)&room[0], pointer);
}

static void *hold_in_dead_frames(void *unused)
{
    leave_behind(atomic_load(&given));
    atomic_store(&is_ready, true);
    wait_until(&may_end);
    return unused;
}

TEST(dead_frames_of_another_thread_keep_nothing)
{
    expect_kept_by(hold_in_dead_frames, 24);
}

TEST(a_thread_on_a_stack_of_the_program_keeps_what_it_holds)
{
    static char stack[1 << 18] __attribute__((aligned(4096)));
    pthread_attr_t attributes;
    pthread_t thread;

    double_reset();
    atomic_store(&is_ready, false);
    atomic_store(&may_end, false);
    hidden on_heap = make_hidden(1 << 18, 2);

    atomic_store(&given, make_hidden(24, 1));
    for (int i = 0; i < 2; i++) {
        pthread_attr_init(&attributes);
        pthread_attr_setstack(&attributes, i == 0 ? stack : seen(on_heap), sizeof(stack));
        atomic_store(&is_ready, false);
        atomic_store(&may_end, false);
        EXPECT(pthread_create(&thread, &attributes, hold_on_stack, NULL) == 0);
        pthread_attr_destroy(&attributes);
        memset(&attributes, 0, sizeof(attributes));
        forget();
        wait_until(&is_ready);
        EXPECT_EQUAL(leaked_bytes(), i == 0 ? 1 << 18 : 0);
        atomic_store(&may_end, true);
        pthread_join(thread, NULL);
    }
}

#define THREADS 50

TEST(fifty_threads_keep_what_they_hold)
{
    pthread_t threads[THREADS];

    double_reset();
    atomic_store(&may_end, false);
    for (int i = 0; i < THREADS; i++) {
        atomic_store(&given, make_hidden(100, 1));
        atomic_store(&is_ready, false);
        EXPECT(pthread_create(&threads[i], NULL, hold_on_stack, NULL) == 0);
        wait_until(&is_ready);
    }
    make_hidden(24, 2);
    const struct double_result *result = double_find(NULL);
    EXPECT(result->why == NULL);
    EXPECT_EQUAL(result->bug.leak_bytes, 24);
    EXPECT_EQUAL(result->bug.reachable_bytes, THREADS * 100);
    printf("# 50 threads: %u ms\n", result->milliseconds);
    atomic_store(&may_end, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void *end_at_once(void *unused)
{
    return unused;
}

static void *start_others(void *unused)
{
    atomic_store(&is_ready, true);
    while (!atomic_load(&may_end)) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, end_at_once, NULL) == 0)
            pthread_join(thread, NULL);
    }
    return unused;
}

TEST(threads_may_come_and_go_meanwhile)
{
    pthread_t threads[4];

    double_reset();
    make_hidden(24, 1);
    atomic_store(&may_end, false);
    for (int i = 0; i < 4; i++) {
        atomic_store(&is_ready, false);
        EXPECT(pthread_create(&threads[i], NULL, start_others, NULL) == 0);
        wait_until(&is_ready);
    }
    for (int i = 0; i < 30; i++)
        EXPECT_EQUAL(leaked_bytes(), 24);
    atomic_store(&may_end, true);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

static _Atomic int signals;

static void count_signal(int number)
{
    (void)number;
    atomic_fetch_add(&signals, 1);
}

static _Atomic int sent;

static void *signal_itself(void *unused)
{
    atomic_store(&is_ready, true);
    while (!atomic_load(&may_end))
        atomic_fetch_add(&sent, raise(SIGRTMIN) == 0);
    return unused;
}

TEST(no_signal_is_lost_or_comes_twice)
{
    struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
    pthread_t threads[3];

    sigaction(SIGRTMIN, &action, NULL);
    double_reset();
    atomic_store(&may_end, false);
    for (int i = 0; i < 3; i++) {
        atomic_store(&is_ready, false);
        EXPECT(pthread_create(&threads[i], NULL, signal_itself, NULL) == 0);
        wait_until(&is_ready);
    }
    for (int i = 0; i < 100; i++)
        EXPECT_EQUAL(leaked_bytes(), 0);
    atomic_store(&may_end, true);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    EXPECT(atomic_load(&sent) > 100);
    EXPECT_EQUAL(atomic_load(&signals), atomic_load(&sent));
}

static void wait_in_handler(int number)
{
    (void)number;
    atomic_store(&is_ready, true);
    wait_until(&may_end);
}

/* In static memory: if it were in a block or a mapping, pointers to it would matter. */
static void *hold_on_interrupted_stack(void *unused)
{
    static char alternate[65536];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)},
            none = {.ss_flags = SS_DISABLE};
    struct sigaction action = {.sa_handler = wait_in_handler, .sa_flags = SA_ONSTACK};
    void *volatile automatic = NULL;

    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    store_at((void *)&automatic, atomic_load(&given));
    raise(SIGUSR1);
    automatic = NULL;
    memset(alternate, 0, sizeof(alternate));
    sigaltstack(&none, NULL);
    return unused;
}

TEST(the_stack_that_a_signal_handler_left_keeps_a_block)
{
    expect_kept_by(hold_on_interrupted_stack, 0);
}

static void *find_in_thread(void *ret_result)
{
    *(uint64_t *)ret_result = leaked_bytes();
    return NULL;
}

TEST(any_thread_may_look_while_the_first_one_holds_a_block)
{
    void *volatile automatic = NULL;
    pthread_t thread;
    uint64_t result = 1;

    double_reset();
    hidden block = make_hidden(24, 1);

    store_at((void *)&automatic, block);
    EXPECT(pthread_create(&thread, NULL, find_in_thread, &result) == 0);
    pthread_join(thread, NULL);
    EXPECT_EQUAL(result, 0);
    automatic = NULL;
    EXPECT(pthread_create(&thread, NULL, find_in_thread, &result) == 0);
    pthread_join(thread, NULL);
    EXPECT_EQUAL(result, 24);
}

static void *hold_lock(void *lock)
{
    pthread_mutex_lock(lock);
    atomic_store(&is_ready, true);
    wait_until(&may_end);
    pthread_mutex_unlock(lock);
    return NULL;
}

TEST(no_process_and_no_descriptor_is_left_behind)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_t thread;
    int before = dup(0);

    close(before);
    double_reset();
    atomic_store(&is_ready, false);
    atomic_store(&may_end, false);
    EXPECT(pthread_create(&thread, NULL, hold_lock, &lock) == 0);
    wait_until(&is_ready);
    EXPECT_EQUAL(leaked_bytes(), 0);
    int after = dup(0);
    EXPECT_EQUAL(after, before);
    close(after);
    EXPECT(waitpid(-1, NULL, __WALL | WNOHANG) == -1);
    atomic_store(&may_end, true);
    pthread_join(thread, NULL);
}
