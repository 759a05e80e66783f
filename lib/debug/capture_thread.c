#include "capture_thread.h"

#include "os_memory.h"
#include "os_stack.h"
#include "unwind_memory.h"

/* Threads beyond that capture without; so do those of a forked child that find all taken by threads
 * of the parent. */
#define GROUPS_MAX 128u
#define GROUP_THREADS 16u
#define GROUP_FULL ((1u << GROUP_THREADS) - 1)

/* As much is looked through when a thread goes down its stack in one jump. */
#define REACH_BYTES ((uintptr_t)16 << 20)

static _Atomic uintptr_t groups[GROUPS_MAX];
static _Atomic uint32_t taken[GROUPS_MAX]; /* one bit for each */

struct capture_thread sg_capture_none;
THREAD_POINTER struct capture_thread *sg_capture_mine;

static struct capture_thread *thread_of(uint32_t number)
{
    _Atomic uintptr_t *group = &groups[number / GROUP_THREADS];
    size_t bytes = GROUP_THREADS * sizeof(struct capture_thread);
    uintptr_t found = atomic_load_explicit(group, memory_order_acquire);

    if (found == 0) {
        void *fresh = sg_os_map(NULL, bytes);

        /* Acquire and release: who finds it, finds it mapped. */
        if (fresh == NULL ||
            atomic_compare_exchange_strong_explicit(group, &found, (uintptr_t)fresh,
                                                    memory_order_acq_rel, memory_order_acquire))
            found = (uintptr_t)fresh;
        else
            sg_os_unmap(fresh, bytes);
    }
    return found == 0 ? NULL : (struct capture_thread *)found + number % GROUP_THREADS;
}

static bool take_in(uint32_t group, uint32_t *ret_number)
{
    uint32_t seen = load_relaxed(&taken[group]);

    while (seen != GROUP_FULL) {
        uint32_t lowest = ~seen & (seen + 1);

        /* Acquire: after the release of who had it before, whose writes are done. */
        if (atomic_compare_exchange_weak_explicit(&taken[group], &seen, seen | lowest,
                                                  memory_order_acquire, memory_order_relaxed)) {
            *ret_number = group * GROUP_THREADS + (uint32_t)__builtin_ctz(lowest);
            return true;
        }
    }
    return false;
}

static void give_back(uint32_t number)
{
    uint32_t bit = 1u << number % GROUP_THREADS;

    /* Release: pairs with the acquire of take_in(). */
    atomic_fetch_and_explicit(&taken[number / GROUP_THREADS], ~bit, memory_order_release);
}

static struct capture_thread *take(void)
{
    uint32_t number = 0, group = 0;
    struct capture_thread *thread;

    while (group < GROUPS_MAX && !take_in(group, &number))
        group++;
    if (group == GROUPS_MAX)
        return NULL;
    thread = thread_of(number);
    if (thread == NULL)
        give_back(number);
    else
        thread->number = number;
    return thread;
}

static void at_thread_end(void *value)
{
    struct capture_thread *thread = value;

    sg_capture_mine = &sg_capture_none;
    atomic_signal_fence(memory_order_seq_cst);
    if (sg_magazine_empty)
        sg_magazine_empty(&thread->magazine);
    sg_memo_forget(&thread->memo); /* of another stack's end */
    thread->sure_bytes = thread->sure_low = thread->refused_page = 0;
    store_relaxed(&thread->busy_stack, 0);
    give_back(thread->number);
}

/* A handler that interrupts this finds that the thread can have none. */
COLD struct capture_thread *sg_capture_first(void)
{
    struct capture_thread *thread;

    sg_capture_mine = &sg_capture_none;
    atomic_signal_fence(memory_order_seq_cst);
    thread = take();
    if (thread == NULL)
        return &sg_capture_none;
    if (!sg_os_at_thread_end(at_thread_end, thread)) {
        give_back(thread->number);
        return &sg_capture_none;
    }
    atomic_signal_fence(memory_order_seq_cst);
    sg_capture_mine = thread;
    return thread;
}

/* libc frees what ended threads left behind in a thread that is itself about to end, after its last
 * destructor: who got his own only then would never give it back. A free looks thrice at most. */
#define EARLY_LOOKS 192u

COLD struct capture_thread *sg_capture_early(void)
{
    static __thread __attribute__((tls_model("initial-exec"))) uint8_t looks;

    if (looks == EARLY_LOOKS)
        return sg_capture_first();
    looks++;
    return &sg_capture_none;
}

/* Finds the stack readable from `low` down to where `stack` lies, page by page. */
static bool reach_down(struct capture_thread *thread, uintptr_t low, uintptr_t stack)
{
    while (low > stack) {
        low -= PROBE_BYTES;
        if (!sg_os_is_readable(low)) {
            thread->refused_page = low;
            return false;
        }
    }
    return true;
}

COLD void sg_capture_look_at_stack(struct capture_thread *thread, uintptr_t stack)
{
    uintptr_t page = stack & ~(PROBE_BYTES - 1), end = thread->sure_low + thread->sure_bytes;
    uintptr_t anchor = sg_os_stack_anchor(stack);
    uintptr_t from = anchor == end ? thread->sure_low : anchor & ~(PROBE_BYTES - 1);

    if (anchor == 0 || anchor - page > REACH_BYTES + thread->sure_bytes ||
        (page <= thread->refused_page && thread->refused_page < anchor) ||
        !reach_down(thread, from, page))
        return;
    if (anchor != end)
        sg_memo_forget(&thread->memo);
    thread->sure_low = page;
    thread->sure_bytes = anchor - page;
}

size_t sg_capture_threads(void)
{
    size_t count = 0;

    for (uint32_t i = 0; i < GROUPS_MAX; i++)
        count += (size_t)__builtin_popcount(load_relaxed(&taken[i]));
    return count;
}
