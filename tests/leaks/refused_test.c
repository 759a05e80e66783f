/* Where the kernel lets nobody be traced. Each case in a child, which ends with it. */
#include "program.h"

#include "../unit/test.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static void *sleep_long(void *unused)
{
    for (;;) /* setresuid() wakes it */
        sleep(20);
    return unused;
}

static void start_thread(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, sleep_long, NULL) != 0)
        _exit(90);
}

static void refuse(long number, uint32_t with)
{
    struct sock_filter rows[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, with),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(rows) / sizeof(rows[0]), rows};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(91);
}

/* What the child ends with: bytes that leak, or 80 with `why` on its output. */
static int exit_of(void (*body)(void))
{
    int status = 0;

    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        double_reset();
        make_hidden(24, 1);
        body();
        errno = 77;
        const struct double_result *result = double_find(NULL);
        if (errno != 77)
            _exit(92);
        if (result->why != NULL && (result->found || strlen(result->why) < 5))
            _exit(93);
        _exit(result->why != NULL ? 80 : (int)result->bug.leak_bytes);
    }
    waitpid(child, &status, 0);
    if (!WIFEXITED(status))
        printf("# status %#x\n", (unsigned)status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void nothing_special(void)
{
}

TEST(children_can_look_with_one_thread_or_two)
{
    EXPECT_EQUAL(exit_of(nothing_special), 24);
    EXPECT_EQUAL(exit_of(start_thread), 24);
}

static void refuse_ptrace(void)
{
    refuse(SYS_ptrace, SECCOMP_RET_ERRNO | EPERM);
}

static void refuse_ptrace_with_thread(void)
{
    start_thread();
    refuse_ptrace();
}

TEST(where_ptrace_is_refused_one_thread_can_look_and_two_say_why_not)
{
    EXPECT_EQUAL(exit_of(refuse_ptrace), 24);
    EXPECT_EQUAL(exit_of(refuse_ptrace_with_thread), 80);
}

static void refuse_clone(void)
{
    start_thread();
    refuse(SYS_clone, SECCOMP_RET_ERRNO | EPERM);
}

static void kill_at_ptrace(void)
{
    start_thread();
    refuse(SYS_ptrace, SECCOMP_RET_KILL_THREAD);
}

TEST(a_tracer_that_cannot_start_or_is_killed_is_said)
{
    EXPECT_EQUAL(exit_of(refuse_clone), 80);
    EXPECT_EQUAL(exit_of(kill_at_ptrace), 80);
}

static void close_to_others(void)
{
    start_thread();
    if (geteuid() == 0 &&
        (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0))
        _exit(97); /* root may trace whatever it likes */
    prctl(PR_SET_DUMPABLE, 0);
}

static void close_alone(void)
{
    prctl(PR_SET_DUMPABLE, 0);
}

TEST(a_process_that_is_closed_to_others_looks_at_itself)
{
    EXPECT_EQUAL(exit_of(close_alone), 24);
    EXPECT_EQUAL(exit_of(close_to_others), 24);
}

static void be_traced_by_debugger(void)
{
    int ready[2];
    char byte;

    start_thread();
    if (pipe(ready) != 0)
        _exit(94);
    pid_t self = getpid(), debugger = fork();
    if (debugger == 0) {
        pid_t other = 0;

        for (pid_t id = self + 1; other == 0 && id < self + 100; id++)
            if (syscall(SYS_tgkill, self, id, 0) == 0)
                other = id;
        long result = ptrace(PTRACE_SEIZE, other, 0, 0);
        if (write(ready[1], result == 0 ? "y" : "n", 1) != 1)
            _exit(1);
        sleep(10);
        _exit(0);
    }
    if (read(ready[0], &byte, 1) != 1 || byte != 'y')
        _exit(95);
}

TEST(under_a_debugger_two_threads_say_why_not)
{
    EXPECT_EQUAL(exit_of(be_traced_by_debugger), 80);
}

static void *find_and_exit(void *unused)
{
    (void)unused;
    usleep(50000);
    const struct double_result *result = double_find(NULL);
    _exit(result->why != NULL ? 80 : (int)result->bug.leak_bytes);
}

static void end_first_thread(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, find_and_exit, NULL) != 0)
        _exit(96);
    syscall(SYS_exit, 0);
}

TEST(a_first_thread_that_ended_is_no_obstacle)
{
    EXPECT_EQUAL(exit_of(end_first_thread), 24);
}

/* x86-64 only, as where its answer goes. */
#if defined(__x86_64__)
static void answer_no(int number, siginfo_t *information, void *context)
{
    (void)number, (void)information;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = -EPERM;
}

static void answer_calls_in_a_handler(long number)
{
    struct sigaction action = {.sa_sigaction = answer_no, .sa_flags = SA_SIGINFO};

    start_thread();
    if (sigaction(SIGSYS, &action, NULL) != 0)
        _exit(94);
    refuse(number, SECCOMP_RET_TRAP);
}

static void answer_clone(void)
{
    answer_calls_in_a_handler(SYS_clone);
}

static void answer_getdents(void)
{
    answer_calls_in_a_handler(SYS_getdents64);
}

static void answer_ptrace(void)
{
    answer_calls_in_a_handler(SYS_ptrace);
}

TEST(a_program_that_answers_forbidden_calls_itself_does_so)
{
    EXPECT_EQUAL(exit_of(answer_clone), 80);
    EXPECT_EQUAL(exit_of(answer_getdents), 80);
    EXPECT_EQUAL(exit_of(answer_ptrace), 80);
}
#endif
