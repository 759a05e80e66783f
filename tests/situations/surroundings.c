/* A bug while much else is going on, or little works any more. */
#include "bug.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { BUSY = 3, DESTROYED = 40000, DESTROYED_BYTES = 1600 };

static atomic_bool is_over;

static void *allocate_all_the_time(void *unused)
{
    for (size_t i = 0; !atomic_load(&is_over); i++) {
        char *block = malloc(opaque(i % 700));

        block = realloc(block, opaque(i % 900 + 1));
        free(block);
    }
    return unused;
}

static void start_busy_threads(void)
{
    pthread_t thread;

    for (int i = 0; i < BUSY; i++)
        require(pthread_create(&thread, NULL, allocate_all_the_time, NULL) == 0, "no thread\n");
    usleep(50000);
}

static void say_time(void)
{
    struct timespec now;
    char line[64];

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(line, sizeof line, "%lld.%09ld\n", (long long)now.tv_sec, now.tv_nsec);
    say(line);
}

static void beside_busy_threads(void)
{
    start_busy_threads();
    say_time();
    overflow_and_free();
}

static void on_signal(int number)
{
    (void)number;
    overflow_and_free();
}

static void in_a_signal_handler(void)
{
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
}

/* Every block with what is around it. */
static void with_the_heap_destroyed(void)
{
    static char *blocks[DESTROYED];

    for (int i = 0; i < DESTROYED; i++)
        require((blocks[i] = malloc(opaque(DESTROYED_BYTES))) != NULL, "no memory\n");
    for (int i = 0; i < DESTROYED; i++)
        memset(blocks[i] - opaque(16), 'D', DESTROYED_BYTES + opaque(32));
    free(blocks[DESTROYED / 2]);
}

static pthread_barrier_t together;

static void *overflow_together(void *unused)
{
    char *block = damaged_block();

    pthread_barrier_wait(&together);
    free(block);
    return unused;
}

static void in_two_threads_at_once(void)
{
    pthread_t threads[2];

    pthread_barrier_init(&together, NULL, 2);
    for (int i = 0; i < 2; i++)
        require(pthread_create(&threads[i], NULL, overflow_together, NULL) == 0, "no thread\n");
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

static void say_ending(pid_t child)
{
    char line[64];

    snprintf(line, sizeof line, "child ended with %d\n", ending_of(child));
    say(line);
}

static void in_a_child_of_a_threaded_program(void)
{
    start_busy_threads();
    pid_t child = fork();

    if (child == 0) {
        overflow_and_free();
        _exit(0);
    }
    say_ending(child);
    atomic_store(&is_over, true);
    free(malloc(opaque(1000)));
}

/* The child's memory is the parent's. */
static void in_a_child_of_vfork(void)
{
    static char *volatile twice;

    twice = malloc(opaque(120));
    free(twice);
    pid_t child = vfork();

    if (child == 0) {
        free(twice);
        _exit(0);
    }
    say_ending(child);
    for (size_t i = 0; i < 1000; i++)
        free(malloc(opaque(i)));
    say("the parent goes on\n");
    overflow_and_free();
}

/* What sigaltstack demands at least, and nothing below it. */
static void on_a_small_signal_stack(void)
{
    size_t bytes = SIGSTKSZ, page = 4096;
    char *memory = mmap(NULL, 2 * page + bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t stack = {.ss_sp = memory + page, .ss_size = bytes};

    require(memory != MAP_FAILED && mprotect(stack.ss_sp, bytes, PROT_READ | PROT_WRITE) == 0 &&
                sigaltstack(&stack, NULL) == 0,
            "no signal stack\n");
    volatile char *block = malloc(opaque(4096));
    block[opaque(4096)] = 'x';
}

static void *overflow_on_a_small_stack(void *unused)
{
    overflow_and_free();
    return unused;
}

static void in_a_thread_with_a_small_stack(void)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
    require(pthread_create(&thread, &attributes, overflow_on_a_small_stack, NULL) == 0,
            "no thread\n");
    pthread_join(thread, NULL);
}

static void with_stderr_closed(void)
{
    close(STDERR_FILENO);
    overflow_and_free();
}

static void with_all_descriptors_closed(void)
{
    for (int i = 0; i < 64; i++)
        close(i);
    overflow_and_free();
}

static void without_address_space(void)
{
    char *block = damaged_block();
    struct rlimit limit = {1 << 20, 1 << 20};

    require(setrlimit(RLIMIT_AS, &limit) == 0, "no limit\n");
    free(block);
}

static char *volatile left_over;

static __attribute__((destructor)) void at_the_end(void)
{
    free(left_over);
}

static void in_a_destructor(void)
{
    left_over = damaged_block();
}

static void allow_only_old_ways(uint32_t answer)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execveat, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, answer),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0,
            "no seccomp\n");
}

static void where_no_process_may_be_made(void)
{
    allow_only_old_ways(SECCOMP_RET_ERRNO | EPERM);
    overflow_and_free();
}

static void where_making_a_process_kills(void)
{
    allow_only_old_ways(SECCOMP_RET_KILL_PROCESS);
    overflow_and_free();
}

static void *free_data(void *first)
{
    static int data[100];

    require(pthread_join(*(pthread_t *)first, NULL) == 0, "no end\n");
    free(&data[opaque(4)]);
    return NULL;
}

static void after_the_first_thread_ended(void)
{
    static pthread_t first;
    pthread_t thread;

    first = pthread_self();
    require(pthread_create(&thread, NULL, free_data, &first) == 0, "no thread\n");
    pthread_exit(NULL);
}

static void with_no_descriptor_left(void)
{
    static int data[100];

    while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
        ;
    free(&data[opaque(4)]);
}

static sigjmp_buf back;

static void jump_back(int number)
{
    (void)number;
    siglongjmp(back, 1);
}

/* A harness of unit tests does so, to go on after an assertion. */
static void *leave_by_a_jump(void *unused)
{
    if (sigsetjmp(back, 1) == 0)
        overflow_and_free();
    return unused;
}

static void left_by_a_jump(void)
{
    pthread_t thread;

    signal(SIGABRT, jump_back);
    leave_by_a_jump(NULL);
    leave_by_a_jump(NULL);
    require(pthread_create(&thread, NULL, leave_by_a_jump, NULL) == 0, "no thread\n");
    pthread_join(thread, NULL);
    say("on\n");
    leave_by_a_jump(NULL);
}

static void left_for_checks(void)
{
    signal(SIGABRT, jump_back);
    leave_by_a_jump(NULL);
    damaged_block();
    if (sigsetjmp(back, 1) == 0)
        raise(SIGUSR1);
}

static void in_another_folder(void)
{
    require(mkdir("elsewhere", 0777) == 0 && chdir("elsewhere") == 0, "no folder\n");
    overflow_and_free();
}

static void with_a_secret(void)
{
    char *block = malloc(opaque(24));

    require(block != NULL, "no memory\n");
    strcpy(block, opaque(1) ? "open sesame, said he..." : "");
    ((volatile char *)block)[opaque(24)] = 'x';
    free(block);
}

const struct body surroundings[] = {
    {"beside_busy_threads", beside_busy_threads},
    {"in_a_signal_handler", in_a_signal_handler},
    {"with_the_heap_destroyed", with_the_heap_destroyed},
    {"in_two_threads_at_once", in_two_threads_at_once},
    {"in_a_child_of_a_threaded_program", in_a_child_of_a_threaded_program},
    {"in_a_child_of_vfork", in_a_child_of_vfork},
    {"on_a_small_signal_stack", on_a_small_signal_stack},
    {"in_a_thread_with_a_small_stack", in_a_thread_with_a_small_stack},
    {"with_stderr_closed", with_stderr_closed},
    {"with_all_descriptors_closed", with_all_descriptors_closed},
    {"without_address_space", without_address_space},
    {"in_a_destructor", in_a_destructor},
    {"after_the_first_thread_ended", after_the_first_thread_ended},
    {"with_no_descriptor_left", with_no_descriptor_left},
    {"where_no_process_may_be_made", where_no_process_may_be_made},
    {"where_making_a_process_kills", where_making_a_process_kills},
    {"left_by_a_jump", left_by_a_jump},
    {"left_for_checks", left_for_checks},
    {"in_another_folder", in_another_folder},
    {"with_a_secret", with_a_secret},
    {NULL, NULL},
};
