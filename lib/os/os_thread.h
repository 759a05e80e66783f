/* Threads, processes and waiting, as far as an allocator needs them. */
#ifndef SG_OS_THREAD_H
#define SG_OS_THREAD_H

#include "compiler.h"

/* Sleeps while `*word` is `expected`, for at most `milliseconds` (0: without limit).
 * False only if the time ran out. May return early for no reason. */
HIDDEN bool sg_os_wait(_Atomic uint32_t *word, uint32_t expected, unsigned milliseconds);
HIDDEN void sg_os_wake(_Atomic uint32_t *word, int threads);

HIDDEN int sg_os_process_id(void);

/* Tells a forked child from its parent without asking the kernel each time, also when no handler
 * ran (_Fork, clone): a page that the kernel wipes in forked children and that vfork children
 * share. mark() says that this process knows where it stands; before the first one, and where the
 * kernel cannot wipe, claim_child() is false. In a child that is not marked, it is true for the
 * one thread that asks first. */
HIDDEN void sg_os_process_mark(void);
HIDDEN MUST_USE bool sg_os_process_claim_child(void);

/* Marks the process again if it ever was. */
HIDDEN void sg_os_process_mark_again(void);
/* Whether claim_child() was true just now. */
HIDDEN bool sg_os_process_is_child(void);

/* Since some moment in the past, in steps of a few milliseconds; never goes back. */
HIDDEN uint64_t sg_os_milliseconds(void);

/* Runs `at_exit(value)` when a thread that called sg_os_thread_exit_arm() ends: after its other
 * thread-specific destructors had their turn, as far as POSIX lets one say so. False: no key left,
 * or the thread library refuses; the caller goes without. Neither call allocates in glibc for the
 * first 32 keys; for later ones it may call calloc, so no lock may be held. */
HIDDEN bool sg_os_thread_exit_start(void (*at_exit)(void *value));
HIDDEN bool sg_os_thread_exit_arm(void *value);

#ifdef SG_LABORATORY
/* As before the start. No thread runs `at_exit` any more. */
HIDDEN void sg_os_thread_exit_stop(void);
#endif

/* What this thread armed with, or NULL. */
HIDDEN void *sg_os_thread_exit_value(void);

/* False: the handlers are not registered. Not to be called inside malloc (it may allocate). */
HIDDEN MUST_USE bool sg_os_at_fork(void (*prepare)(void), void (*parent)(void),
                                   void (*child)(void));

/* Differs, as good as always, between a thread and those that lay in the same memory before it.
 * Without a system call. */
HIDDEN uint32_t sg_os_thread_number(void);

/* Tells the processor that this is a waiting loop. */
static inline void os_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Differs between any two threads that live at the same time in one process; never 0. The same in
 * a forked child for the thread that forked. */
static inline uintptr_t os_thread_tag(void)
{
    return (uintptr_t)__builtin_thread_pointer();
}

/* Whether the process certainly has but this thread: as libc knows it, of the threads that it made
 * and while it made none; as the kernel knows it, if it tells. */
HIDDEN bool sg_os_is_single_threaded(void);
HIDDEN bool sg_os_is_alone(void);

#endif
