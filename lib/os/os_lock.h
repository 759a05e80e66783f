/* The lock of all tiers: one word and a futex, no allocation, no owner to free.
 *
 * Two things set it apart from a pthread mutex.
 *
 * Fork. The thread that forks takes every lock, so that the child finds whole structures, and
 * marks each as FROZEN. libc then takes locks of its own inside fork() (the list of streams, the
 * name service). A thread that holds one of those and allocates would wait for us while the
 * forking thread waits for it: the deadlock that hardened_malloc, Scudo and jemalloc have. Here a
 * thread that finds a lock frozen for too long takes it over: nobody is changing what it guards.
 * The child repairs the rare lock that was taken over at the very moment of the fork.
 *
 * Waiting for oneself. A signal handler that allocates while it interrupts the allocator would
 * wait for ever; the lock knows its holder and reports it. */
#ifndef SG_OS_LOCK_H
#define SG_OS_LOCK_H

#include "annotate.h"
#include "compiler.h"
#include "invariant.h"
#include "lock_rank.h"
#include "os_thread.h"
#include "sync_point.h"

enum lock_word { LOCK_FREE = 0, LOCK_HELD, LOCK_CONTENDED, LOCK_FROZEN };

/* All zero is a free lock. */
struct lock {
    _Atomic uint32_t word;
    _Atomic uintptr_t holder; /* os_thread_tag() of the holder; relaxed: only equality with the
                                 reader's own tag means anything, and that is never stale */
};

HIDDEN void sg_lock_acquire_slow(struct lock *lock);
HIDDEN void sg_lock_wake(struct lock *lock);

/* Debug build: stops unless `rank` is above all ranks that this thread holds. */
HIDDEN void sg_lock_rank_push(enum lock_rank rank);
HIDDEN void sg_lock_rank_pop(enum lock_rank rank);

/* Called when a thread waits for a lock that it holds itself. Must not return. */
extern HIDDEN void (*sg_lock_on_reentry)(void);
/* Called when a lock was held for very long, for the `times`th time in one wait: returns true if
 * the holder cannot exist any more (this is a child made by _Fork or clone) and all locks have been
 * repaired. */
extern HIDDEN bool (*sg_lock_on_starvation)(unsigned times);

static inline void lock_acquire(struct lock *lock, enum lock_rank rank)
{
    uint32_t expected = LOCK_FREE;

    SYNC_POINT(SYNC_LOCK, lock);
    ANNOTATE_ATOMIC(lock, sizeof(*lock));
    if (SG_DEBUG_CHECKS)
        sg_lock_rank_push(rank);
    /* Acquire: sees everything that the last holder wrote. */
    if (UNLIKELY(!atomic_compare_exchange_strong_explicit(
            &lock->word, &expected, LOCK_HELD, memory_order_acquire, memory_order_relaxed)))
        sg_lock_acquire_slow(lock);
    ANNOTATE_LOCKED(lock);
    store_relaxed(&lock->holder, os_thread_tag());
}

static inline void lock_release(struct lock *lock, enum lock_rank rank)
{
    if (SG_DEBUG_CHECKS)
        sg_lock_rank_pop(rank);
    store_relaxed(&lock->holder, 0);
    ANNOTATE_UNLOCKED(lock);
    /* Release: the next holder sees everything written under the lock. */
    if (UNLIKELY(atomic_exchange_explicit(&lock->word, LOCK_FREE, memory_order_release) ==
                 LOCK_CONTENDED))
        sg_lock_wake(lock);
    SYNC_POINT(SYNC_UNLOCK, lock);
}

/* How long a frozen lock is respected: longer than a fork takes that is not stuck. Set before the
 * locks are frozen. Relaxed: any recent value will do. */
extern HIDDEN _Atomic uint32_t sg_lock_patience_ms;

/* Fork, in the thread that forks: freeze before, then one of the two after. A frozen lock has no
 * holder; the thread that froze it may take it at once. */
HIDDEN void sg_lock_freeze(struct lock *lock);
HIDDEN void sg_lock_thaw_parent(struct lock *lock);

/* True: another thread had taken the lock over and was inside, so what it guards is half changed.
 * The lock is free in either case. */
HIDDEN MUST_USE bool sg_lock_thaw_child(struct lock *lock);

#endif
