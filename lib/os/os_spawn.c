/* Two processes are started. The keeper shares our memory and is a child that signals nothing when
 * it ends, which wait() without __WALL does not see. A program that a process executes makes it one
 * that does signal: so the keeper never does, and its own child does; the keeper takes that signal
 * and reaps it. */
#include "os_spawn.h"

#include "os_memory.h"
#include "os_spawn_clone.h"
#include "os_syscall.h"
#include "os_thread.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#define STACK_BYTES 16384
#define SIGNALS 64
#define LOWEST_FREE_DESCRIPTOR 10 /* above all that are to be replaced */
#define DESCRIPTORS_CLOSED_MAX 4096
#define END_PATIENCE_MS 500

struct os_keeper {
    alignas(16) char stack[STACK_BYTES];
    alignas(16) char program_stack[STACK_BYTES];
    const char *const *programs;
    unsigned milliseconds;
    int process;
    int request_read, reply_write; /* numbers here and in the keeper; its table is its own */
    _Atomic uint32_t stop;         /* 1: kill the program and leave */
};

/* As the kernel wants it; all zero is SIG_DFL on every machine. */
struct kernel_action {
    uint64_t words[4];
};

static void reset_signal(int number)
{
    struct kernel_action action = {{0}};

    (void)os_syscall6(SYS_rt_sigaction, number, (long)&action, 0, sizeof(uint64_t), 0, 0);
}

static uint64_t set_signal_mask(uint64_t mask)
{
    uint64_t before = 0;

    (void)os_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, (long)&before, sizeof(uint64_t),
                      0, 0);
    return before;
}

/* Kernels before 5.9 have no close_range. */
static void close_from(unsigned lowest)
{
    if (!os_failed(os_syscall3(SYS_close_range, lowest, ~0u, 0)))
        return;
    for (unsigned descriptor = lowest; descriptor < DESCRIPTORS_CLOSED_MAX; descriptor++)
        (void)os_syscall3(SYS_close, descriptor, 0, 0);
}

/* 0 and 1 are the pipes. 2 is taken and refuses to be written to: what the loader has to say of a
 * missing library is not for the program's error stream. */
static bool arrange_descriptors(const struct os_keeper *keeper)
{
    long in = os_syscall3(SYS_fcntl, keeper->request_read, F_DUPFD, LOWEST_FREE_DESCRIPTOR);
    long out = os_syscall3(SYS_fcntl, keeper->reply_write, F_DUPFD, LOWEST_FREE_DESCRIPTOR);

    if (os_failed(in) || os_failed(out) || os_failed(os_syscall3(SYS_dup3, in, 0, 0)) ||
        os_failed(os_syscall3(SYS_dup3, out, 1, 0)) || os_failed(os_syscall3(SYS_dup3, in, 2, 0)))
        return false;
    close_from(3);
    return true;
}

/* In the process that becomes the program, while the keeper waits. Signals are blocked until no
 * handler of ours can run here any more. */
static int run_program(void *argument)
{
    static const struct rlimit no_core = {0, 0};
    const struct os_keeper *keeper = argument;
    const struct itimerval limit = {.it_value = {.tv_sec = keeper->milliseconds / 1000 + 1}};
    const char *arguments[] = {"spanguard-symbolize", NULL};
    const char *environment[] = {NULL};

    for (int number = 1; number <= SIGNALS; number++)
        reset_signal(number);
    (void)set_signal_mask(0);
    (void)os_syscall3(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0);
    (void)os_syscall3(SYS_setitimer, ITIMER_REAL, (long)&limit, 0);
    (void)os_syscall6(SYS_prlimit64, 0, RLIMIT_CORE, (long)&no_core, 0, 0, 0);
    for (const char *const *program = keeper->programs; *program != NULL; program++)
        (void)os_syscall3(SYS_execve, (long)*program, (long)arguments, (long)environment);
    return 127;
}

static void wait_for_stop(struct os_keeper *keeper)
{
    uint64_t end = sg_os_milliseconds() + keeper->milliseconds;

    /* Acquire: as the release in sg_os_spawn_end(). */
    while (atomic_load_explicit(&keeper->stop, memory_order_acquire) == 0 &&
           sg_os_milliseconds() < end)
        (void)sg_os_wait(&keeper->stop, 0, 100);
}

static int keep_program(void *argument)
{
    struct os_keeper *keeper = argument;
    long program;

    reset_signal(SIGSYS); /* the only one that is not blocked */
    reset_signal(SIGCHLD);
    (void)os_syscall3(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0);
    if (!arrange_descriptors(keeper))
        return 1;
    program = os_clone(CLONE_VM_FLAG | CLONE_VFORK_FLAG | SIGCHLD,
                       keeper->program_stack + STACK_BYTES, run_program, keeper);
    close_from(0); /* so that the reply ends when the program does */
    if (os_failed(program))
        return 1;
    wait_for_stop(keeper);
    (void)os_syscall3(SYS_kill, program, SIGKILL, 0); /* not reaped yet: the number is its own */
    (void)os_syscall6(SYS_wait4, program, 0, __WALL, 0, 0, 0);
    return 0;
}

static bool open_pipe(int *ret_read, int *ret_write)
{
    int ends[2] = {-1, -1};

    if (os_failed(os_syscall3(SYS_pipe2, (long)ends, O_CLOEXEC, 0)))
        return false;
    *ret_read = ends[0];
    *ret_write = ends[1];
    return true;
}

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        (void)os_syscall3(SYS_close, *descriptor, 0, 0);
    *descriptor = -1;
}

/* SIGSYS stays as it is: a program may answer its own forbidden system calls in a handler, and the
 * kernel ends who blocks it. */
static bool start_keeper(struct os_keeper *keeper)
{
    uint64_t before = set_signal_mask(~(UINT64_C(1) << (SIGSYS - 1)));
    long process = os_clone(CLONE_VM_FLAG, keeper->stack + STACK_BYTES, keep_program, keeper);

    (void)set_signal_mask(before);
    keeper->process = (int)process;
    return !os_failed(process);
}

bool sg_os_spawn(const char *const *programs, unsigned milliseconds, struct os_child *ret_child)
{
    struct os_keeper *keeper = sg_os_map(NULL, sizeof(*keeper));
    struct os_child child = {.keeper = keeper, .request = -1, .request_read = -1, .reply = -1};
    int reply_write = -1;
    bool is_started = false;

    if (keeper == NULL)
        return false;
    keeper->programs = programs;
    keeper->milliseconds = milliseconds;
    if (open_pipe(&child.request_read, &child.request) && open_pipe(&child.reply, &reply_write) &&
        !os_failed(os_syscall3(SYS_fcntl, child.request, F_SETFL, O_NONBLOCK))) {
        keeper->request_read = child.request_read;
        keeper->reply_write = reply_write;
        is_started = start_keeper(keeper);
    }
    close_descriptor(&reply_write); /* the keeper has its own */
    if (is_started) {
        *ret_child = child;
        return true;
    }
    close_descriptor(&child.request_read);
    close_descriptor(&child.request);
    close_descriptor(&child.reply);
    sg_os_unmap(keeper, sizeof(*keeper));
    return false;
}

static bool reap_keeper(int process, unsigned milliseconds)
{
    _Atomic uint32_t never = 0;
    uint64_t end = sg_os_milliseconds() + milliseconds;

    do {
        if (os_syscall6(SYS_wait4, process, 0, __WALL | WNOHANG, 0, 0, 0) != 0)
            return true; /* or somebody else did, with __WALL */
        (void)sg_os_wait(&never, 0, 1);
    } while (sg_os_milliseconds() < end);
    return false;
}

/* A keeper that cannot be stopped keeps its memory. */
void sg_os_spawn_end(struct os_child *child)
{
    struct os_keeper *keeper = child->keeper;
    int process = keeper->process;

    close_descriptor(&child->request);
    close_descriptor(&child->request_read);
    close_descriptor(&child->reply);
    /* Release: nothing of the keeper's memory is used after. */
    atomic_store_explicit(&keeper->stop, 1, memory_order_release);
    sg_os_wake(&keeper->stop, 1);
    if (!reap_keeper(process, END_PATIENCE_MS)) {
        (void)os_syscall3(SYS_kill, process, SIGKILL, 0);
        if (!reap_keeper(process, END_PATIENCE_MS))
            return;
    }
    sg_os_unmap(keeper, sizeof(*keeper));
}
