#include "lifecycle.h"

#include "fault.h"
#include "seal.h"

#include "central_list.h"
#include "metadata.h"
#include "object_pool.h"
#include "options.h"
#include "os_guard.h"
#include "os_lock.h"
#include "os_memory.h"
#include "os_thread.h"
#include "os_vdso.h"
#include "page_cache.h"
#include "page_map.h"
#include "policy.h"
#include "report.h"
#include "secrets.h"
#include "span_quarantine.h"
#include "system_pool.h"
#include "thread_registry.h"
#include "typed.h"
#include "without.h"

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

/* What the page map walk below repairs. */
static struct {
    bool page_cache;
    bool classes[CLASS_COUNT];
    bool partitions[TYPED_PARTITIONS];
} damaged;

static void repair_span(struct span *span)
{
    enum span_owner owner = span->slots.owner;

    if (owner == SPAN_CENTRAL && damaged.classes[span->slots.class])
        sg_central_rebuild_add(span);
    if (owner == SPAN_TYPED && damaged.partitions[span->partition])
        sg_typed_rebuild_add(span);
    if (damaged.page_cache && (owner == SPAN_FREE || owner == SPAN_PURGING))
        sg_page_cache_forget(span);
}

static void repair_damaged(void)
{
    bool any = damaged.page_cache;

    if (damaged.page_cache)
        sg_page_cache_abandon();
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        if (damaged.classes[class]) {
            sg_central_rebuild_begin(class);
            any = true;
        }
    for (uint32_t partition = 1; partition < TYPED_PARTITIONS; partition++)
        if (damaged.partitions[partition]) {
            sg_typed_rebuild_begin(partition);
            any = true;
        }
    if (any)
        sg_page_map_each(repair_span);
}

static void step_quarantine(struct span_quarantine *quarantine, enum lock_step step)
{
    if (step_lock(&quarantine->lock, step))
        sg_span_quarantine_abandon(quarantine);
}

/* Not written in a parent: several of its threads may fork at once. */
static void note_damage(bool *is_damaged, bool is_found)
{
    if (is_found)
        *is_damaged = true;
}

/* In the order of their ranks. A child looks at every lock: a class may have been used for the
 * first time while its parent froze the others. */
static void step_all(enum lock_step step)
{
    bool in_child = step == STEP_THAW_CHILD || step == STEP_REPAIR;

    if (in_child)
        __builtin_memset(&damaged, 0, sizeof(damaged));
    (void)step_lock(sg_thread_registry_lock(), step);
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        if (in_child || sg_central_is_used(class))
            note_damage(&damaged.classes[class], step_lock(sg_central_lock(class), step));
    for (uint32_t partition = 1; partition < TYPED_PARTITIONS; partition++)
        if (in_child || sg_typed_is_used(partition))
            note_damage(&damaged.partitions[partition], step_lock(sg_typed_lock(partition), step));
    step_quarantine(&sg_quarantine_central, step);
    step_quarantine(&sg_quarantine_large, step);
    step_quarantine(&sg_quarantine_kept, step);
    note_damage(&damaged.page_cache, step_lock(sg_page_cache_lock(), step));
    (void)step_lock(sg_page_map_lock(), step);
    for (uint32_t i = 0; i < OBJECT_POOL_COUNT; i++)
        if (step_lock(sg_object_pool_lock(i), step))
            sg_object_pool_abandon(i);
    if (step_lock(sg_metadata_lock(), step))
        sg_metadata_abandon();
    if (in_child)
        repair_damaged();
}

/* Forks under way that froze the locks. Relaxed: one that sees it late finds the locks thawed by
 * another fork, or takes them over. */
static _Atomic int freezes;

/* A fork copies the page tables: some 10 ms for each GiB, several times that on a busy machine. */
static uint32_t patience_ms(void)
{
    struct page_cache_statistics pages;

    sg_page_cache_statistics(&pages);
    return 10 + (uint32_t)(pages.mapped_bytes / (16 * MIB));
}

static void at_fork_prepare(void)
{
    if (sg_os_is_single_threaded())
        return; /* alone: nobody else can be inside */
    if (sg_debug_fork)
        sg_debug_fork(FORK_PREPARE);
    store_relaxed(&sg_lock_patience_ms, patience_ms());
    step_all(STEP_FREEZE);
    atomic_fetch_add_explicit(&freezes, 1, memory_order_relaxed);
}

static void at_fork_parent(void)
{
    if (load_relaxed(&freezes) == 0)
        return;
    atomic_fetch_sub_explicit(&freezes, 1, memory_order_relaxed);
    step_all(STEP_THAW_PARENT);
    if (sg_debug_fork)
        sg_debug_fork(FORK_PARENT);
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
    if (load_relaxed(&freezes) == 0) {
        sg_os_process_mark_again(); /* nobody else was there: all is whole */
        return;
    }
    store_relaxed(&freezes, 0);
    step_all(STEP_THAW_CHILD);
    after_fork();
    if (sg_debug_fork)
        sg_debug_fork(FORK_CHILD);
}

/* Waits in a row, of a fifth of a second each, until a child that has threads of its own gives a
 * lock up: a holder that lives, however slow, has had a turn. One stop of the process, be it of
 * minutes, is one wait. */
#define STARVED_TIMES 50u

/* A lock was held for very long. Its holder may be slow; or it was left behind by _Fork or clone,
 * for which no handler runs: then this child repairs what it finds. It is certain of that only
 * while it has no other thread. */
static bool on_starvation(unsigned times)
{
    if (!sg_os_process_is_child() || (times < STARVED_TIMES && !sg_os_is_alone()) ||
        !sg_os_process_claim_child())
        return false;
    step_all(STEP_REPAIR);
    after_fork();
    if (sg_debug_fork)
        sg_debug_fork(FORK_REPAIR);
    return true;
}

/* See without.h. */
static void leave_out(void)
{
    if (SG_WITHOUT_CANARY)
        sg_options.canary = 0;
    if (SG_WITHOUT_ZERO)
        sg_options.zero_bytes = 0;
    if (SG_WITHOUT_ZERO_CHECK)
        sg_options.zero_check = 0;
    if (SG_WITHOUT_QUARANTINE)
        sg_options.quarantine_slots = 0;
    if (SG_WITHOUT_SPAN_QUARANTINE)
        sg_options.span_quarantine = 0;
    if (SG_WITHOUT_GUARD_SPANS)
        sg_options.guard_pages = 0;
    if (SG_WITHOUT_GUARD_LARGE)
        sg_options.guard_large = 0;
    if (SG_WITHOUT_GUARD_FREE)
        sg_options.guard_free = 0;
    if (SG_WITHOUT_ENCODE)
        sg_options.encode = 0;
    if (SG_WITHOUT_SAMPLE)
        sg_options.sample_bytes = 0;
    if (SG_WITHOUT_ISOLATE)
        sg_options.isolate_classes = 0;
    if (SG_WITHOUT_SEAL)
        sg_options.seal = 0;
}

static void configure_reports(void)
{
    static const char *const names[] = {"fast", "hardened", "strict", "debug", "guard"};
    struct report_settings settings = {.profile = names[sg_options.profile]};

    if (sg_options.report == REPORT_TO_JOURNAL)
        settings.target = REPORT_JOURNAL;
    if (sg_options.report >= REPORT_TO_FD) {
        settings.target = REPORT_DESCRIPTOR;
        settings.descriptor = (int)(sg_options.report - REPORT_TO_FD);
    }
    sg_report_configure(&settings);
}

static void seal(void)
{
    if (sg_options.seal != 0)
        (void)sg_seal(); /* where it cannot be, the rest still holds */
}

void sg_lifecycle_start_slow(void)
{
    lock_acquire(&starting, RANK_LIFECYCLE);
    if (!load_relaxed(&sg_lifecycle_started)) {
        sg_panic_hook = sg_report_panic;
        sg_lock_on_reentry = on_reentry;
        sg_lock_on_starvation = on_starvation;
        sg_os_memory_start();
        sg_os_vdso_start();
        sg_options_load();
        leave_out();
        configure_reports();
        sg_os_guard_start(sg_options.guard_madvise == 0, sg_options.guard_budget);
        sg_secrets_start(sg_options.encode != 0);
        if (sg_debug_start && sg_options.seed != 0)
            sg_secrets_fix(sg_options.seed);
        sg_policy_start();
        if (!sg_policy.is_system) /* else when its functions are known */
            seal();
        sg_thread_registry_start();
        if (sg_debug_start)
            sg_debug_start();
        /* Release: pairs with lifecycle_start(). */
        atomic_store_explicit(&sg_lifecycle_started, true, memory_order_release);
    }
    lock_release(&starting, RANK_LIFECYCLE);
}

void sg_lifecycle_serve_by_system(const struct system_functions *found)
{
    if (found != NULL)
        sg_system_pool_start(found);
    else
        sg_report_notice("pool=system has no effect: ", "there is no other malloc", "");
    seal();
}

/* What needs libc, and may allocate. The rest waits for the first block: a program that allocates
 * nothing pays nothing. */
static __attribute__((constructor)) void at_load(void)
{
    lifecycle_start(); /* its getrandom before a program forbids itself system calls */
    if (sg_options.fault_reports != 0 && !sg_policy.is_system)
        sg_fault_start();
    if (policy_is_uncached()) /* else the second thread's cache does */
        sg_os_process_mark(); /* a child of _Fork may find locks held by nobody */
    if (!sg_os_at_fork(at_fork_prepare, at_fork_parent, at_fork_child))
        sg_report_notice("no fork handlers: a child of a threaded process may lose memory", "", "");
}
