#include "lifecycle.h"

#include "central_list.h"
#include "metadata.h"
#include "object_pool.h"
#include "options.h"
#include "os_lock.h"
#include "os_memory.h"
#include "os_thread.h"
#include "page_cache.h"
#include "page_map.h"
#include "report.h"
#include "secrets.h"
#include "thread_registry.h"

_Atomic bool sg_lifecycle_started;

static struct lock starting; /* RANK_LIFECYCLE */

static void on_reentry(void)
{
    struct misuse misuse = {.kind = MISUSE_REENTRY, .function = "malloc"};

    sg_report_misuse(&misuse);
}

enum lock_step { STEP_FREEZE, STEP_THAW_PARENT, STEP_THAW_CHILD, STEP_REPAIR };

/* True: what the lock guards must be abandoned. */
static bool step_lock(struct lock *lock, enum lock_step step)
{
    switch (step) {
    case STEP_FREEZE:
        sg_lock_freeze(lock);
        return false;
    case STEP_THAW_PARENT:
        sg_lock_thaw_parent(lock);
        return false;
    case STEP_THAW_CHILD:
        return sg_lock_thaw_child(lock);
    case STEP_REPAIR:
        /* What this thread holds it is changing itself, and will finish. */
        return load_relaxed(&lock->holder) != os_thread_tag() && sg_lock_thaw_child(lock);
    }
    return false;
}

/* In the order of their ranks. */
static void step_all(enum lock_step step)
{
    (void)step_lock(sg_thread_registry_lock(), step);
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        if (sg_central_lock(class) != NULL && step_lock(sg_central_lock(class), step))
            sg_central_abandon(class);
    if (step_lock(sg_page_cache_lock(), step))
        sg_page_cache_abandon();
    (void)step_lock(sg_page_map_lock(), step);
    for (uint32_t i = 0; i < OBJECT_POOL_COUNT; i++)
        if (step_lock(sg_object_pool_lock(i), step))
            sg_object_pool_abandon(i);
    if (step_lock(sg_metadata_lock(), step))
        sg_metadata_abandon();
}

/* Forks under way that froze the locks. Relaxed: one that sees it late finds the locks thawed by
 * another fork, or takes them over. */
static _Atomic int freezes;

static void at_fork_prepare(void)
{
    if (!sg_thread_registry_is_threaded())
        return; /* alone: nobody else can be inside */
    step_all(STEP_FREEZE);
    atomic_fetch_add_explicit(&freezes, 1, memory_order_relaxed);
}

static void at_fork_parent(void)
{
    if (load_relaxed(&freezes) == 0)
        return;
    atomic_fetch_sub_explicit(&freezes, 1, memory_order_relaxed);
    step_all(STEP_THAW_PARENT);
}

static void after_fork(void)
{
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        sg_central_after_fork(class);
    sg_thread_registry_after_fork();
    sg_os_process_mark();
}

static void at_fork_child(void)
{
    if (load_relaxed(&freezes) == 0)
        return;
    store_relaxed(&freezes, 0);
    step_all(STEP_THAW_CHILD);
    after_fork();
}

/* A lock was held for very long. Its holder may be slow; or it was left behind by _Fork or clone,
 * for which no handler runs: then this child repairs what it finds. */
static bool on_starvation(void)
{
    if (!sg_os_process_claim_child())
        return false;
    step_all(STEP_REPAIR);
    after_fork();
    return true;
}

void sg_lifecycle_start_slow(void)
{
    lock_acquire(&starting, RANK_LIFECYCLE);
    if (!load_relaxed(&sg_lifecycle_started)) {
        sg_panic_hook = sg_report_panic;
        sg_lock_on_reentry = on_reentry;
        sg_lock_on_starvation = on_starvation;
        sg_os_memory_start();
        sg_secrets_start();
        sg_thread_registry_start();
        /* Release: pairs with lifecycle_start(). */
        atomic_store_explicit(&sg_lifecycle_started, true, memory_order_release);
    }
    lock_release(&starting, RANK_LIFECYCLE);
}

/* What needs libc, and may allocate. The rest waits for the first block: a program that allocates
 * nothing pays nothing. */
static __attribute__((constructor)) void at_load(void)
{
    lifecycle_start(); /* its getrandom before a program forbids itself system calls */
    sg_options_load();
    if (!sg_os_at_fork(at_fork_prepare, at_fork_parent, at_fork_child))
        sg_report_notice("no fork handlers: a child of a threaded process may lose memory", "", "");
}
