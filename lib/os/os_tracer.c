#include "os_tracer.h"

#include "bits.h"
#include "os_file.h"
#include "os_memory.h"
#include "os_syscall.h"
#include "os_tasks.h"
#include "os_thread.h"

#include <elf.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#ifndef PR_SET_PTRACER
#define PR_SET_PTRACER 0x59616d61
#endif

#define THREADS_MAX 16384u
#define PASSES_MAX 64u
#define STOP_MILLISECONDS 3000ull
#define STACK_BYTES ((size_t)256 << 10)

enum tracee_state { TRACEE_GONE, TRACEE_SEIZED, TRACEE_STOPPED };

struct tracee {
    int id;
    int signal; /* that it was about to take when it stopped, and takes when it goes on */
    enum tracee_state state;
};

struct session {
    const struct os_trace_request *request;
    int process;
    int caller;
    int tasks; /* descriptor of /proc/self/task, of the traced process */
    uint32_t count;
    uint32_t traced_count;
    enum os_trace result;
    _Atomic uint32_t may_start;
    _Atomic uint32_t is_done;
    struct tracee tracees[THREADS_MAX];
    struct os_traced_thread threads[THREADS_MAX];
    alignas(16) char stack[STACK_BYTES];
};

static long trace(int request, int id, uintptr_t address, uintptr_t data)
{
    return os_syscall6(SYS_ptrace, request, id, (long)address, (long)data, 0, 0);
}

void sg_os_sleep_microseconds(unsigned microseconds)
{
    struct timespec time = {.tv_sec = microseconds / 1000000,
                            .tv_nsec = (long)(microseconds % 1000000) * 1000};

    os_syscall3(SYS_nanosleep, (long)&time, 0, 0);
}

uintptr_t sg_os_program_entry(void)
{
    return getauxval(AT_ENTRY);
}

static bool is_known(const struct session *session, int id)
{
    for (uint32_t i = 0; i < session->count; i++)
        if (session->tracees[i].id == id && session->tracees[i].state != TRACEE_GONE)
            return true;
    return false;
}

static bool seize(int id, void *context)
{
    struct session *session = context;
    long result;

    if (id == session->caller || is_known(session, id))
        return true;
    if (session->count == THREADS_MAX) {
        session->result = OS_TRACE_TOO_MANY;
        return false;
    }
    result = trace(PTRACE_SEIZE, id, 0, 0);
    if (result == -ESRCH || (os_failed(result) && sg_os_task_is_dead(session->tasks, id)))
        return true;
    if (os_failed(result)) {
        session->result = OS_TRACE_REFUSED;
        return false;
    }
    (void)trace(PTRACE_INTERRUPT, id, 0, 0);
    session->tracees[session->count++] = (struct tracee){.id = id, .state = TRACEE_SEIZED};
    return true;
}

/* Waits for the thread to stop or to end. */
static bool await_stop(struct tracee *tracee, uint64_t deadline)
{
    int status = 0;

    for (unsigned tries = 0;; tries++) {
        long result = os_syscall6(SYS_wait4, tracee->id, (long)&status, __WALL | WNOHANG, 0, 0, 0);

        if (result == tracee->id)
            break;
        if (os_failed(result) && result != -EINTR) {
            tracee->state = TRACEE_GONE;
            return true;
        }
        if (sg_os_milliseconds() > deadline)
            return false;
        if (tries < 20)
            os_syscall3(SYS_sched_yield, 0, 0, 0);
        else
            sg_os_sleep_microseconds(200);
    }
    tracee->state = WIFSTOPPED(status) ? TRACEE_STOPPED : TRACEE_GONE;
    tracee->signal = WIFSTOPPED(status) && status >> 16 == 0 ? WSTOPSIG(status) : 0;
    return true;
}

/* Threads that are not stopped yet may start others, so the list is read until it has none that is
 * new. */
static bool stop_all(struct session *session)
{
    uint64_t deadline = sg_os_milliseconds() + STOP_MILLISECONDS;
    uint32_t waited = 0;

    for (unsigned pass = 0; pass < PASSES_MAX; pass++) {
        session->result = OS_TRACE_NO_PROC;
        if (!sg_os_tasks_each(session->tasks, seize, session))
            return false;
        if (waited == session->count)
            return true;
        session->result = OS_TRACE_NOT_STOPPED;
        for (; waited < session->count; waited++)
            if (!await_stop(&session->tracees[waited], deadline))
                return false;
    }
    return false;
}

#if defined(__x86_64__)
#define VECTOR_REGISTERS NT_X86_XSTATE
#else
#define VECTOR_REGISTERS NT_PRFPREG
#endif

static size_t read_registers(int id, int kind, void *buffer, size_t bytes)
{
    struct iovec place = {buffer, bytes};

    if (os_failed(trace(PTRACE_GETREGSET, id, (uintptr_t)kind, (uintptr_t)&place)))
        return 0;
    return place.iov_len;
}

static bool know_thread(int id, struct os_traced_thread *ret_thread)
{
    struct user_regs_struct registers = {0};
    struct os_traced_thread thread = {.id = id};

    if (read_registers(id, NT_PRSTATUS, &registers, sizeof(registers)) == 0)
        return false;
#if defined(__x86_64__)
    thread.stack = registers.rsp;
    thread.thread_pointer = registers.fs_base;
#elif defined(__aarch64__)
    thread.stack = registers.sp;
    (void)read_registers(id, NT_ARM_TLS, &thread.thread_pointer, sizeof(thread.thread_pointer));
#else
    return false;
#endif
    *ret_thread = thread;
    return true;
}

size_t sg_os_traced_registers(const struct os_traced_thread *thread, uintptr_t *words, size_t limit)
{
    size_t count = 0;

    if (thread->is_caller)
        return 0;
    count += read_registers(thread->id, NT_PRSTATUS, words, limit * sizeof(*words)) /
             sizeof(*words);
    count += read_registers(thread->id, VECTOR_REGISTERS, words + count,
                            (limit - count) * sizeof(*words)) /
             sizeof(*words);
    return count;
}

static void add_caller(struct session *session)
{
    session->threads[session->traced_count++] = (struct os_traced_thread){
        .id = session->caller,
        .is_caller = true,
        .stack = session->request->caller_stack,
        .thread_pointer = (uintptr_t)__builtin_thread_pointer(),
    };
}

static void call_body(struct session *session)
{
    struct os_traced traced = {
        .process = session->process,
        .count = session->traced_count,
        .threads = session->threads,
        .memory = session,
        .memory_bytes = sizeof(*session),
    };

    session->request->body(&traced, session->request->context);
    session->result = OS_TRACE_DONE;
}

static void look_at_all(struct session *session)
{
    for (uint32_t i = 0; i < session->count; i++)
        if (session->tracees[i].state == TRACEE_STOPPED &&
            know_thread(session->tracees[i].id, &session->threads[session->traced_count]))
            session->traced_count++;
    call_body(session);
}

static int be_tracer(void *argument)
{
    struct session *session = argument;

    os_syscall6(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
    /* Acquire: what the caller did to allow tracing comes before. */
    while (atomic_load_explicit(&session->may_start, memory_order_acquire) == 0)
        (void)sg_os_wait(&session->may_start, 0, 100);
    add_caller(session);
    if (session->traced_count != 0 && stop_all(session))
        look_at_all(session);
    for (uint32_t i = 0; i < session->count; i++)
        if (session->tracees[i].state == TRACEE_STOPPED)
            (void)trace(PTRACE_DETACH, session->tracees[i].id, 0,
                        (uintptr_t)session->tracees[i].signal);
    /* Release: the caller sees what `body` and we wrote. What is seized and never stopped goes on
     * by our end. */
    atomic_store_explicit(&session->is_done, 1, memory_order_release);
    sg_os_wake(&session->is_done, 1);
    return 0;
}

/* False: it died, or was killed because it took too long. It exists no more. */
static bool await_tracer(struct session *session, int tracer)
{
    uint64_t deadline = sg_os_milliseconds() + session->request->milliseconds +
                        2 * STOP_MILLISECONDS;
    bool is_reaped = false;

    while (atomic_load_explicit(&session->is_done, memory_order_acquire) == 0) {
        long ended = os_syscall6(SYS_wait4, tracer, 0, __WALL | WNOHANG, 0, 0, 0);

        is_reaped = ended == tracer || ended == -ECHILD;
        if (is_reaped)
            break;
        if (sg_os_milliseconds() > deadline) {
            os_syscall3(SYS_kill, tracer, SIGKILL, 0);
            break;
        }
        (void)sg_os_wait(&session->is_done, 0, 50);
    }
    while (!is_reaped)
        is_reaped = os_syscall6(SYS_wait4, tracer, 0, __WALL, 0, 0, 0) != -EINTR;
    return atomic_load_explicit(&session->is_done, memory_order_acquire) != 0;
}

static void start_tracer(struct session *session)
{
    int saved = errno;
    int tracer = clone(be_tracer, session->stack + STACK_BYTES,
                       CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_UNTRACED, session);

    errno = saved;
    if (tracer < 0) {
        session->result = OS_TRACE_REFUSED;
        return;
    }
    /* Yama: a child may trace its parent only if that says so. */
    os_syscall6(SYS_prctl, PR_SET_PTRACER, tracer, 0, 0, 0, 0);
    /* Release: pairs with the tracer's acquire. */
    atomic_store_explicit(&session->may_start, 1, memory_order_release);
    sg_os_wake(&session->may_start, 1);
    if (!await_tracer(session, tracer))
        session->result = OS_TRACE_LOST;
    os_syscall6(SYS_prctl, PR_SET_PTRACER, 0, 0, 0, 0, 0);
}

/* A process that others of its user may not look at cannot be traced by its own child either. One
 * that got rights from its file stays closed. */
static void trace_openly(struct session *session)
{
    long dumpable = os_syscall6(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0, 0);

    if (dumpable != 1 && sg_os_is_secure()) {
        session->result = OS_TRACE_REFUSED;
        return;
    }
    if (dumpable != 1)
        os_syscall6(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0, 0);
    start_tracer(session);
    if (dumpable != 1)
        os_syscall6(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0, 0);
}

static bool count_task(int id, void *context)
{
    struct session *session = context;

    (void)id;
    session->traced_count++;
    return true;
}

static void look(struct session *session)
{
    bool is_counted = sg_os_tasks_each(session->tasks, count_task, session);
    bool is_alone = session->traced_count == 1;

    session->traced_count = 0;
    if (!is_counted) {
        session->result = OS_TRACE_NO_PROC;
    } else if (is_alone) {
        add_caller(session);
        call_body(session);
    } else {
        trace_openly(session);
    }
}

/* SIGSYS stays as it is: a program may answer its own forbidden system calls in a handler, and the
 * kernel ends who blocks it. */
enum os_trace sg_os_trace(const struct os_trace_request *request)
{
    uint64_t all = ~(UINT64_C(1) << (SIGSYS - 1)), before = 0;
    struct session *session = sg_os_map(NULL, align_up(sizeof(*session), sg_os_page_bytes));
    enum os_trace result = OS_TRACE_NO_PROC;

    if (session == NULL)
        return OS_TRACE_NO_MEMORY;
    os_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, sizeof(all), 0, 0);
    session->request = request;
    session->process = sg_os_process_id();
    session->caller = (int)os_syscall3(SYS_gettid, 0, 0, 0);
    session->tasks = sg_os_tasks_open();
    if (session->tasks >= 0) {
        look(session);
        sg_os_close(session->tasks);
        result = session->result;
    }
    sg_os_unmap(session, align_up(sizeof(*session), sg_os_page_bytes));
    os_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof(before), 0, 0);
    return result;
}
