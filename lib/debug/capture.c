#include "capture.h"

#include "capture_thread.h"
#include "os_memory.h"
#include "unwind_cache.h"
#include "unwind_trace.h"

#define RULE_CACHE_BITS 14u

/* Of our module; 0 bytes where it is the program itself, whose frames cannot be told from ours. */
struct own_module {
    uintptr_t start;
    uintptr_t bytes;
};

enum { SETUP_NONE, SETUP_RUNS, SETUP_DONE };

static _Atomic uint32_t setup_state;
static struct own_module own;

static COLD void set_up(void)
{
    uint32_t expected = SETUP_NONE;
    struct module module;
    void *memory;

    /* Acquire and release: who finds it done finds what it made. Who finds it running, a handler
     * for one, goes without: its stack has frames of ours, once. */
    if (!atomic_compare_exchange_strong_explicit(&setup_state, &expected, SETUP_RUNS,
                                                 memory_order_acq_rel, memory_order_acquire))
        return;
    if (sg_module_of((uintptr_t)&sg_capture, &module) && module.name[0] != '\0')
        own = (struct own_module){module.start, module.end - module.start};
    memory = sg_os_map(NULL, cache_bytes(RULE_CACHE_BITS));
    if (memory != NULL)
        sg_cache_use(memory, RULE_CACHE_BITS);
    atomic_store_explicit(&setup_state, SETUP_DONE, memory_order_release);
}

static struct own_module own_module(void)
{
    if (UNLIKELY(atomic_load_explicit(&setup_state, memory_order_acquire) != SETUP_DONE)) {
        set_up();
        if (atomic_load_explicit(&setup_state, memory_order_acquire) != SETUP_DONE)
            return (struct own_module){0, 0};
    }
    return own;
}

static NOINLINE stack_id walk(struct capture_thread *thread, const struct registers *start,
                              uint32_t depth)
{
    struct own_module ours = own_module();
    struct trace trace; /* large: what is not read is not written */
    uintptr_t frames[DEPOT_FRAMES_MAX], stack = start->value[REGISTER_STACK];
    bool is_sure = thread != NULL && capture_is_sure(thread, stack);
    stack_id id;

    trace.own_start = ours.start;
    trace.own_bytes = ours.bytes;
    trace.sure_low = is_sure ? thread->sure_low : 0;
    trace.sure_bytes = is_sure ? thread->sure_bytes : 0;
    id = sg_depot_put(frames, (uint32_t)sg_unwind_traced(start, &trace, frames, depth));
    if (is_sure && trace.is_whole && id != 0)
        sg_memo_keep(&thread->memo, &(struct memo_fact){start, &trace, depth, id});
    return id;
}

static stack_id capture(const struct registers *start, uint32_t depth)
{
    uintptr_t stack = start->value[REGISTER_STACK];
    struct capture_thread *thread = capture_enter(stack);
    stack_id id = 0;

    if (UNLIKELY(thread == NULL))
        return walk(NULL, start, depth);
    if (LIKELY(capture_is_sure(thread, stack)))
        id = sg_memo_find(&thread->memo, start, depth);
    if (id == 0) {
        id = walk(thread, start, depth);
    } else {
        thread->hits++;
        sg_depot_put_again(id);
    }
    capture_leave(thread);
    return id;
}

/* Never inlined: the walk begins with this frame, and the answer with its caller. */
NOINLINE stack_id sg_capture(uint32_t depth)
{
    struct registers start;

    if (depth == 0)
        return 0;
    start.known = 0;
    registers_of_caller(&start);
    return capture(&start, depth < DEPOT_FRAMES_MAX ? depth : DEPOT_FRAMES_MAX);
}
