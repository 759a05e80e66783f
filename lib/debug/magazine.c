#include "magazine.h"

#include "capture_thread.h"

struct magazine *sg_magazine_enter(void)
{
    struct capture_thread *thread = capture_self();

    if (UNLIKELY(thread == NULL || load_relaxed(&thread->magazine.is_busy)))
        return NULL;
    store_relaxed(&thread->magazine.is_busy, true);
    atomic_signal_fence(memory_order_seq_cst);
    return &thread->magazine;
}
