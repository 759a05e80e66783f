#include "scheduler.h"

#include "shadow.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NOBODY SCHEDULER_THREADS_MAX
#define IDLE_TIMES_MAX 64u /* times that ran out in a row, and no lock was given back */
#define STEPS_PER_MILLISECOND 64u
#define NO_SLOT OPS_SLOTS

enum worker_state { WORKER_OUT, WORKER_READY, WORKER_WAITS };

struct worker {
    _Atomic uint32_t turn; /* futex; 1: go on */
    pthread_t thread;
    bool exists;
    enum worker_state state;
    /* While it waits: */
    const _Atomic uint32_t *word;
    uint32_t expected;
    uint32_t milliseconds; /* 0: without limit */
    uint64_t since;        /* the number of the wait: the oldest is woken first */
    long result;           /* of the wait */
};

/* Written by whoever has the turn, so by one thread at a time. */
static struct {
    struct worker workers[SCHEDULER_THREADS_MAX];
    const struct scheduler_run *run;
    struct scheduler_result result;
    struct laboratory below; /* as it was before the run */
    uint64_t waits;
    uint32_t idle_times;
    uint64_t milliseconds;    /* what the clock says beyond the steps */
    _Atomic uint32_t outside; /* futex: main() waits for 1 */
    unsigned ended;           /* who ended really; NOBODY: the run is over */
    bool is_paused;
    bool is_pinned;
} scheduler;

static __thread unsigned self = NOBODY;

static void *worker_main(void *number);

/* Hand-over of the turn. Raw, so that it is no order for ThreadSanitizer: what it should see is
 * the order that the tiers make for themselves. */

static void sleep_until_set(_Atomic uint32_t *word)
{
    while (atomic_exchange_explicit(word, 0, memory_order_acquire) == 0)
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void set(_Atomic uint32_t *word)
{
    atomic_store_explicit(word, 1, memory_order_release);
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* Before and after a run nothing runs beside anything: that order ThreadSanitizer is told. */
void __tsan_acquire(void *) __attribute__((weak));
void __tsan_release(void *) __attribute__((weak));

static void order_after_others(void)
{
    if (__tsan_acquire != NULL)
        __tsan_acquire(&scheduler);
}

static void order_before_others(void)
{
    if (__tsan_release != NULL)
        __tsan_release(&scheduler);
}

static void note(uint64_t what)
{
    scheduler.result.trace = (scheduler.result.trace ^ what) * 0x100000001b3u;
}

/* Who can go on, and who only waits. */
static struct choice choice_now(unsigned current)
{
    struct choice choice = {.current = current};

    for (unsigned i = 0; i < scheduler.run->threads; i++) {
        const struct worker *worker = &scheduler.workers[i];

        if (worker->state == WORKER_READY)
            choice.runnable |= 1u << i;
        else if (worker->state == WORKER_WAITS && worker->milliseconds > 0)
            choice.timed |= 1u << i;
    }
    return choice;
}

static void end_wait(struct worker *worker, long result)
{
    worker->state = WORKER_READY;
    worker->result = result;
}

static void run_out(struct worker *worker)
{
    scheduler.milliseconds += worker->milliseconds;
    end_wait(worker, -ETIMEDOUT);
}

/* Nobody can go on: time passes until the first may. */
static void pass_time(void)
{
    struct worker *first = NULL;

    for (unsigned i = 0; i < scheduler.run->threads; i++) {
        struct worker *worker = &scheduler.workers[i];

        if (worker->state != WORKER_WAITS)
            continue;
        if (load_relaxed(worker->word) != worker->expected)
            shadow_fail("a wake-up was lost", NO_SLOT);
        if (worker->milliseconds > 0 && (first == NULL || worker->since < first->since))
            first = worker;
    }
    if (first == NULL || ++scheduler.idle_times > IDLE_TIMES_MAX)
        shadow_fail("deadlock", NO_SLOT);
    run_out(first);
}

static bool all_are_out(void)
{
    for (unsigned i = 0; i < scheduler.run->threads; i++)
        if (scheduler.workers[i].state != WORKER_OUT)
            return false;
    return true;
}

/* Whose turn is next; somebody is left. */
static unsigned choose_next(unsigned current)
{
    struct choice choice = choice_now(current);

    if (choice.runnable == 0) {
        pass_time();
        choice = choice_now(current);
    }
    unsigned next = scheduler.run->choose(scheduler.run->strategy, &choice);
    if (((choice.runnable | choice.timed) >> next & 1) == 0)
        shadow_fail("the strategy chose who cannot go on", NO_SLOT);
    if ((choice.timed >> next & 1) != 0)
        run_out(&scheduler.workers[next]);
    scheduler.result.switches += next != current;
    note(next);
    return next;
}

/* Somebody else, or the caller, goes on; returns when it is the caller's turn again. */
static void give_turn(void)
{
    int saved = errno;
    unsigned next = choose_next(self);

    if (next != self) {
        set(&scheduler.workers[next].turn);
        sleep_until_set(&scheduler.workers[self].turn);
    }
    errno = saved;
}

static void point(unsigned site)
{
    note(site + 16 * self);
    if (++scheduler.result.steps > scheduler.run->steps_max)
        shadow_fail("no end: too many steps", NO_SLOT);
    give_turn();
}

static bool is_scheduled(void)
{
    return self != NOBODY && !scheduler.is_paused;
}

void scheduler_point(void)
{
    if (is_scheduled())
        point(15);
}

static void on_sync(enum sync_site site, const volatile void *object)
{
    (void)object;
    if (!is_scheduled() || site == SYNC_SYSCALL) /* these are on_call()'s */
        return;
    if (site == SYNC_UNLOCK)
        scheduler.idle_times = 0;
    point(site);
}

static long wait_for(const _Atomic uint32_t *word, uint32_t expected, const struct timespec *limit)
{
    struct worker *worker = &scheduler.workers[self];

    if (load_relaxed(word) != expected)
        return -EAGAIN;
    worker->state = WORKER_WAITS;
    worker->word = word;
    worker->expected = expected;
    worker->milliseconds =
        limit == NULL ? 0 : (uint32_t)(limit->tv_sec * 1000 + limit->tv_nsec / 1000000);
    worker->since = ++scheduler.waits;
    note(14 + 16 * self);
    give_turn();
    return worker->result;
}

static struct worker *oldest_at(const _Atomic uint32_t *word)
{
    struct worker *oldest = NULL;

    for (unsigned i = 0; i < scheduler.run->threads; i++) {
        struct worker *worker = &scheduler.workers[i];

        if (worker->state == WORKER_WAITS && worker->word == word &&
            (oldest == NULL || worker->since < oldest->since))
            oldest = worker;
    }
    return oldest;
}

static long wake(const _Atomic uint32_t *word, long most)
{
    long woken = 0;
    struct worker *worker;

    while (woken < most && (worker = oldest_at(word)) != NULL) {
        end_wait(worker, 0);
        woken++;
    }
    return woken;
}

static long play_futex(const long *arguments)
{
    const _Atomic uint32_t *word = (const _Atomic uint32_t *)arguments[0];

    point(SYNC_SYSCALL);
    if ((arguments[1] & 127) == FUTEX_WAIT)
        return wait_for(word, (uint32_t)arguments[2], (const struct timespec *)arguments[3]);
    long woken = wake(word, arguments[2]);
    point(SYNC_SYSCALL);
    return woken;
}

static long tell_time(struct timespec *ret_now)
{
    uint64_t now = 1000000 + scheduler.milliseconds +
                   scheduler.result.steps / STEPS_PER_MILLISECOND;

    *ret_now =
        (struct timespec){.tv_sec = (time_t)(now / 1000), .tv_nsec = (long)(now % 1000) * 1000000};
    return 0;
}

static bool changes_memory(long number)
{
    return number == SYS_mmap || number == SYS_munmap || number == SYS_mprotect ||
           number == SYS_madvise || number == SYS_mremap;
}

static long on_call(long number, const long *arguments)
{
    system_call *below = scheduler.below.kernel != NULL ? scheduler.below.kernel
                                                        : laboratory_machine_call;

    if (number == SYS_clock_gettime)
        return tell_time((struct timespec *)arguments[1]);
    if (!is_scheduled())
        return below(number, arguments);
    if (number == SYS_futex)
        return play_futex(arguments);
    if (!changes_memory(number))
        return below(number, arguments);
    point(SYNC_SYSCALL);
    long result = below(number, arguments);
    point(SYNC_SYSCALL);
    return result;
}

/* Threads. */

static void worker_create(unsigned number)
{
    struct worker *worker = &scheduler.workers[number];

    if (pthread_create(&worker->thread, NULL, worker_main, (void *)(uintptr_t)number) != 0)
        shadow_fail("no more threads", NO_SLOT);
    worker->exists = true;
}

static void leave(unsigned ended)
{
    scheduler.ended = ended;
    set(&scheduler.outside);
}

static void finish(void)
{
    scheduler.workers[self].state = WORKER_OUT;
    note(13 + 16 * self);
    if (all_are_out())
        leave(NOBODY);
    else
        set(&scheduler.workers[choose_next(self)].turn);
}

static void *worker_main(void *number)
{
    self = (unsigned)(uintptr_t)number;
    for (;;) {
        sleep_until_set(&scheduler.workers[self].turn);
        order_after_others();
        if (scheduler.run->body(self))
            break;
        order_before_others();
        finish();
    }
    leave(self); /* yet the turn is kept: destructors pass points like other code */
    return NULL;
}

/* The thread had its turn until its end: who is next? */
static void replace(unsigned number)
{
    pthread_join(scheduler.workers[number].thread, NULL);
    worker_create(number);
    note(12 + 16 * number);
    set(&scheduler.workers[choose_next(number)].turn);
}

/* One processor: a thread that is woken needs no other to be fetched from its sleep. */
static void pin(void)
{
    cpu_set_t one;
    int here = sched_getcpu();

    if (scheduler.is_pinned || here < 0)
        return;
    CPU_ZERO(&one);
    CPU_SET((size_t)here, &one);
    scheduler.is_pinned = sched_setaffinity(0, sizeof(one), &one) == 0;
}

static void prepare(const struct scheduler_run *run)
{
    pin();
    scheduler.run = run;
    scheduler.result = (struct scheduler_result){.trace = 0xcbf29ce484222325u};
    scheduler.waits = 0;
    scheduler.idle_times = 0;
    scheduler.milliseconds = 0;
    scheduler.is_paused = false;
    for (unsigned i = 0; i < run->threads; i++) {
        if (!scheduler.workers[i].exists)
            worker_create(i);
        scheduler.workers[i].state = WORKER_READY;
    }
    scheduler.below = laboratory;
    laboratory.kernel = on_call;
    laboratory.sync = on_sync;
}

struct scheduler_result scheduler_run(const struct scheduler_run *run)
{
    prepare(run);
    order_before_others();
    set(&scheduler.workers[choose_next(NOBODY)].turn);
    for (;;) {
        sleep_until_set(&scheduler.outside);
        if (scheduler.ended == NOBODY)
            break;
        replace(scheduler.ended);
    }
    order_after_others();
    laboratory.kernel = scheduler.below.kernel;
    laboratory.sync = scheduler.below.sync;
    return scheduler.result;
}

void scheduler_after_fork(void)
{
    for (unsigned i = 0; i < SCHEDULER_THREADS_MAX; i++)
        scheduler.workers[i] = (struct worker){.exists = false};
}

void scheduler_pause(void)
{
    scheduler.is_paused = true;
}

void scheduler_resume(void)
{
    scheduler.is_paused = false;
}

unsigned scheduler_self(void)
{
    return self;
}

struct scheduler_result scheduler_so_far(void)
{
    return scheduler.result;
}
