/* All threads of this process but the caller, stopped for as long as something looks at them.
 *
 * Nobody can trace a thread of its own process, so a task does it that shares our memory and
 * descriptors and is a process of its own. It runs with the caller's thread pointer: what it calls
 * must not touch errno, thread-local storage, or a lock, which a stopped thread may hold. A process
 * of one thread needs no tracing. After the StopTheWorld of LeakSanitizer (Serebryany and others).
 *
 * To a stopped thread it is as if the process had been stopped and continued: a few system calls
 * (signal(7) lists them) end early with EINTR. */
#ifndef SG_OS_OS_TRACER_H
#define SG_OS_OS_TRACER_H

#include "compiler.h"

struct os_traced_thread {
    int id;
    bool is_caller;
    uintptr_t stack; /* its stack pointer; of the caller, as the request says */
    uintptr_t thread_pointer;
};

struct os_traced {
    int process;
    uint32_t count;
    const struct os_traced_thread *threads;
    const void *memory; /* of the tracer: its stack, and this */
    size_t memory_bytes;
};

struct os_trace_request {
    void (*body)(const struct os_traced *traced, void *context);
    void *context;
    uintptr_t caller_stack;
    unsigned milliseconds; /* most that `body` may take; then the tracer is killed */
};

enum os_trace {
    OS_TRACE_DONE,
    OS_TRACE_NO_PROC,
    OS_TRACE_NO_MEMORY,
    OS_TRACE_REFUSED,     /* ptrace: Yama, seccomp, a debugger that is there already */
    OS_TRACE_NOT_STOPPED, /* a thread does not stop: in vfork, or in a driver */
    OS_TRACE_TOO_MANY,
    OS_TRACE_LOST, /* the tracer died or was killed: `body` may have run in part */
};

/* Calls `body` once, unless something is wrong before. All signals to the caller but SIGSYS wait
 * meanwhile. Memory of the request and of what `body` fills is shared with it. Keeps errno. */
HIDDEN MUST_USE enum os_trace sg_os_trace(const struct os_trace_request *request);

/* For `body`: the registers of one thread, vector registers too, as words; none for the caller,
 * whose stack has them if it called __builtin_unwind_init(). Returns their number. */
HIDDEN size_t sg_os_traced_registers(const struct os_traced_thread *thread, uintptr_t *words,
                                     size_t limit);

/* An address in the program itself, not in a library: its entry point. */
HIDDEN uintptr_t sg_os_program_entry(void);

/* Lets others run. */
HIDDEN void sg_os_sleep_microseconds(unsigned microseconds);

#endif
