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

/* NULL: the thread has none now, and captures without. With `stack` beyond the thread's own stack
 * sure_bytes may be of no use. To be left by the same function that entered. */
HIDDEN MUST_USE struct capture_thread *sg_capture_enter(uintptr_t stack);

static inline void capture_leave(struct capture_thread *thread)
{
    atomic_signal_fence(memory_order_seq_cst);
    store_relaxed(&thread->busy_stack, 0);
}

static inline bool capture_is_sure(const struct capture_thread *thread, uintptr_t stack)
{
    return stack - thread->sure_low < thread->sure_bytes;
}

/* Without entering: what else is in there; NULL as above. */
HIDDEN MUST_USE struct capture_thread *sg_capture_self(void);

/* How many threads have one. */
HIDDEN size_t sg_capture_threads(void);

#endif
