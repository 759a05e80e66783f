#include "os_thread.h"

#include "os_memory.h"
#include "os_syscall.h"
#include "os_vdso.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#define WAIT_PRIVATE 128 /* FUTEX_WAIT | FUTEX_PRIVATE_FLAG */
#define WAKE_PRIVATE 129

static pthread_key_t exit_key;
static _Atomic bool exit_key_exists;

bool sg_os_wait(_Atomic uint32_t *word, uint32_t expected, unsigned milliseconds)
{
    struct timespec limit = {.tv_sec = milliseconds / 1000,
                             .tv_nsec = (long)(milliseconds % 1000) * 1000000};

    return os_syscall6(SYS_futex, (long)word, WAIT_PRIVATE, (long)expected,
                       milliseconds == 0 ? 0 : (long)&limit, 0, 0) != -ETIMEDOUT;
}

void sg_os_wake(_Atomic uint32_t *word, int threads)
{
    os_syscall3(SYS_futex, (long)word, WAKE_PRIVATE, threads);
}

int sg_os_process_id(void)
{
    return (int)os_syscall3(SYS_getpid, 0, 0, 0);
}

enum { PROCESS_IS_CHILD = 0, PROCESS_IS_SAME, PROCESS_IS_CLAIMED };

static _Atomic uint32_t *_Atomic process_page;

void sg_os_process_mark(void)
{
    /* Acquire and release: who finds the page finds it mapped. */
    _Atomic uint32_t *page = atomic_load_explicit(&process_page, memory_order_acquire);

    if (page == NULL) {
        page = sg_os_map_wiped_on_fork();
        if (page == NULL)
            return;
        atomic_store_explicit(&process_page, page, memory_order_release);
    }
    atomic_store_explicit(page, PROCESS_IS_SAME, memory_order_release);
}

void sg_os_process_mark_again(void)
{
    if (atomic_load_explicit(&process_page, memory_order_acquire) != NULL)
        sg_os_process_mark();
}

bool sg_os_process_is_child(void)
{
    _Atomic uint32_t *page = atomic_load_explicit(&process_page, memory_order_acquire);

    return page != NULL && load_relaxed(page) == PROCESS_IS_CHILD; /* relaxed: only a hint */
}

bool sg_os_process_claim_child(void)
{
    _Atomic uint32_t *page = atomic_load_explicit(&process_page, memory_order_acquire);
    uint32_t expected = PROCESS_IS_CHILD;

    /* Acquire and release: the others wait for what the claimant does next. */
    return page != NULL &&
           atomic_compare_exchange_strong_explicit(page, &expected, PROCESS_IS_CLAIMED,
                                                   memory_order_acq_rel, memory_order_acquire);
}

uint64_t sg_os_milliseconds(void)
{
    struct timespec now = sg_os_clock(CLOCK_MONOTONIC_COARSE);

    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool sg_os_thread_exit_start(void (*at_exit)(void *value))
{
    if (pthread_key_create(&exit_key, at_exit) != 0)
        return false;
    /* Release: a thread that sees the flag sees the key. */
    atomic_store_explicit(&exit_key_exists, true, memory_order_release);
    return true;
}

#ifdef SG_LABORATORY
void sg_os_thread_exit_stop(void)
{
    /* Relaxed: no other thread is there. */
    if (load_relaxed(&exit_key_exists) && pthread_key_delete(exit_key) == 0)
        store_relaxed(&exit_key_exists, false);
}
#endif

bool sg_os_thread_exit_arm(void *value)
{
    return atomic_load_explicit(&exit_key_exists, memory_order_acquire) &&
           pthread_setspecific(exit_key, value) == 0;
}

void *sg_os_thread_exit_value(void)
{
    if (!atomic_load_explicit(&exit_key_exists, memory_order_acquire))
        return NULL;
    return pthread_getspecific(exit_key);
}

/* The clock of a thread is named after the kernel's number of it. */
uint32_t sg_os_thread_number(void)
{
    clockid_t clock = 0;

    return pthread_getcpuclockid(pthread_self(), &clock) == 0 ? (uint32_t)clock : 0;
}

/* In glibc since 2.32; absent elsewhere. */
extern char __libc_single_threaded __attribute__((weak));

bool sg_os_is_single_threaded(void)
{
    return &__libc_single_threaded != NULL && __libc_single_threaded != 0;
}

/* The folder of threads has a link to itself, one from above, and one for each thread. */
bool sg_os_is_alone(void)
{
    struct stat status = {0}; /* as the kernel lays it out on the 64-bit machines we know */
    long result =
        os_syscall6(SYS_newfstatat, AT_FDCWD, (long)"/proc/self/task", (long)&status, 0, 0, 0);

    return !os_failed(result) && status.st_nlink == 3;
}

bool sg_os_at_fork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    return pthread_atfork(prepare, parent, child) == 0;
}
