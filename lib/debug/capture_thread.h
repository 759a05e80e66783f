/* What the captures of one thread keep from one to the next: in memory of their own, given back
 * when the thread ends, and found by one pointer. */
#ifndef SG_DEBUG_CAPTURE_THREAD_H
#define SG_DEBUG_CAPTURE_THREAD_H

#include "capture_memo.h"
#include "magazine.h"

struct capture_thread {
    /* Stack pointer of the capture that works with this now; 0: none. Atomic for the signal handler
     * that interrupts one: relaxed, with signal fences. */
    _Atomic uintptr_t busy_stack;
    uintptr_t sure_low;   /* of the thread's own stack, up to where it begins: each page in there */
    uintptr_t sure_bytes; /* was found readable, and the thread's own stack stays mapped */
    uintptr_t refused_page; /* between here and the stack's begin something is not readable; 0 */
    uint32_t number;
    uint64_t hits; /* captures that were not walked */
    struct memo memo;
    struct magazine magazine; /* has nothing to do with captures, but ends when the thread does */
};

/* The calling thread's; NULL before its first call. For threads that can have none. */
extern HIDDEN THREAD_POINTER struct capture_thread *sg_capture_mine;
extern HIDDEN struct capture_thread sg_capture_none;

HIDDEN struct capture_thread *sg_capture_first(void);

/* The same for a thread that did not allocate yet: none, a number of times. */
HIDDEN MUST_USE struct capture_thread *sg_capture_early(void);

/* For a thread that allocates: it gets its own. */
static inline void capture_begin(void)
{
    if (UNLIKELY(sg_capture_mine == NULL))
        (void)sg_capture_first();
}

/* Without entering: what else is in there. NULL: the thread has none now. */
static inline MUST_USE struct capture_thread *capture_self(void)
{
    struct capture_thread *thread = sg_capture_mine;

    if (UNLIKELY(thread == NULL))
        thread = sg_capture_early();
    return UNLIKELY(thread == &sg_capture_none) ? NULL : thread;
}

static inline void capture_leave(struct capture_thread *thread)
{
    atomic_signal_fence(memory_order_seq_cst);
    store_relaxed(&thread->busy_stack, 0);
}

static inline bool capture_is_sure(const struct capture_thread *thread, uintptr_t stack)
{
    return stack - thread->sure_low < thread->sure_bytes;
}

/* The stack is another one, or goes deeper than ever before. */
HIDDEN void sg_capture_look_at_stack(struct capture_thread *thread, uintptr_t stack);

/* The one that was at work was left by a longjmp over its frame. */
static inline bool capture_is_abandoned(const struct capture_thread *thread, uintptr_t busy,
                                        uintptr_t stack)
{
    return stack > busy && capture_is_sure(thread, busy) && capture_is_sure(thread, stack);
}

/* NULL: the thread has none now, and captures without. With `stack` beyond the thread's own stack
 * sure_bytes may be of no use. To be left by the same function that entered. */
static inline MUST_USE struct capture_thread *capture_enter(uintptr_t stack)
{
    struct capture_thread *thread = capture_self();
    uintptr_t busy;

    if (UNLIKELY(thread == NULL))
        return NULL;
    busy = load_relaxed(&thread->busy_stack);
    if (UNLIKELY(busy != 0) && !capture_is_abandoned(thread, busy, stack))
        return NULL;
    store_relaxed(&thread->busy_stack, stack);
    atomic_signal_fence(memory_order_seq_cst);
    if (UNLIKELY(!capture_is_sure(thread, stack)))
        sg_capture_look_at_stack(thread, stack);
    return thread;
}

/* How many threads have one. */
HIDDEN size_t sg_capture_threads(void);

#endif
