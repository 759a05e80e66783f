#include "os_lock.h"

#ifdef SG_LABORATORY
#define SPINS 1u /* one thread runs at a time there: nothing changes while this one spins */
#else
#define SPINS 100u
#endif
#define STARVATION_PATIENCE_MS 200u

_Atomic uint32_t sg_lock_patience_ms = 10;
static _Atomic uintptr_t freezer; /* relaxed: only the thread itself finds its own tag there */

void (*sg_lock_on_reentry)(void);
bool (*sg_lock_on_starvation)(unsigned times);

static bool try_change(struct lock *lock, uint32_t from, uint32_t to)
{
    /* Acquire: the change may be the one that takes the lock. */
    return atomic_compare_exchange_strong_explicit(&lock->word, &from, to, memory_order_acquire,
                                                   memory_order_relaxed);
}

static bool spin(struct lock *lock)
{
    for (unsigned i = 0; i < SPINS; i++) {
        if (load_relaxed(&lock->word) == LOCK_FREE && try_change(lock, LOCK_FREE, LOCK_HELD))
            return true;
        os_relax();
    }
    return false;
}

/* `*times` counts the waits that brought nothing. */
static void wait_while_held(struct lock *lock, unsigned *times)
{
    if (sg_os_wait(&lock->word, LOCK_CONTENDED, STARVATION_PATIENCE_MS))
        return;
    if (sg_lock_on_starvation != NULL)
        (void)sg_lock_on_starvation(++*times);
}

/* One attempt from the state `word`; true if the lock is ours. */
static bool attempt(struct lock *lock, uint32_t word, unsigned *times)
{
    SYNC_POINT(SYNC_READ, lock);
    switch (word) {
    case LOCK_FREE:
        /* CONTENDED, not HELD: others may sleep, and the one who frees the lock must wake them. */
        return try_change(lock, LOCK_FREE, LOCK_CONTENDED);
    case LOCK_FROZEN:
        return !sg_os_wait(&lock->word, LOCK_FROZEN, load_relaxed(&sg_lock_patience_ms)) &&
               try_change(lock, LOCK_FROZEN, LOCK_CONTENDED);
    case LOCK_HELD:
        if (!try_change(lock, LOCK_HELD, LOCK_CONTENDED))
            return false;
        break;
    default:
        break;
    }
    wait_while_held(lock, times);
    return false;
}

void sg_lock_acquire_slow(struct lock *lock)
{
    uintptr_t self = os_thread_tag();
    unsigned times = 0;

    /* This thread forks, and something that libc calls on the way allocates. */
    if (load_relaxed(&freezer) == self && try_change(lock, LOCK_FROZEN, LOCK_HELD))
        return;
    if (load_relaxed(&lock->holder) == self && sg_lock_on_reentry != NULL)
        sg_lock_on_reentry();
    if (spin(lock))
        return;
    while (!attempt(lock, load_relaxed(&lock->word), &times))
        ;
}

void sg_lock_wake(struct lock *lock)
{
    sg_os_wake(&lock->word, 1);
}

void sg_lock_freeze(struct lock *lock)
{
    uint32_t expected = LOCK_FREE;

    if (!atomic_compare_exchange_strong_explicit(&lock->word, &expected, LOCK_HELD,
                                                 memory_order_acquire, memory_order_relaxed))
        sg_lock_acquire_slow(lock);
    store_relaxed(&lock->holder, 0);
    store_relaxed(&freezer, os_thread_tag());
    SYNC_POINT(SYNC_PUBLISH, lock);
    /* Release: one who takes the lock over sees what was written under it. */
    if (atomic_exchange_explicit(&lock->word, LOCK_FROZEN, memory_order_release) == LOCK_CONTENDED)
        sg_os_wake(&lock->word, INT32_MAX);
}

void sg_lock_thaw_parent(struct lock *lock)
{
    uint32_t expected = LOCK_FROZEN;

    store_relaxed(&freezer, 0);
    SYNC_POINT(SYNC_PUBLISH, lock);
    if (atomic_compare_exchange_strong_explicit(&lock->word, &expected, LOCK_FREE,
                                                memory_order_release, memory_order_relaxed))
        sg_os_wake(&lock->word, INT32_MAX);
}

bool sg_lock_thaw_child(struct lock *lock)
{
    uint32_t word = atomic_exchange_explicit(&lock->word, LOCK_FREE, memory_order_acquire);

    store_relaxed(&lock->holder, 0);
    store_relaxed(&freezer, 0);
    return word == LOCK_HELD || word == LOCK_CONTENDED;
}

#if SG_DEBUG_CHECKS

/* The debug build may use more thread-local memory than the one pointer of the release build. */
static __thread uint32_t held_ranks __attribute__((tls_model("initial-exec")));

void sg_lock_rank_push(enum lock_rank rank)
{
    ASSERT(held_ranks >> rank == 0);
    held_ranks |= 1u << rank;
}

void sg_lock_rank_pop(enum lock_rank rank)
{
    ASSERT((held_ranks >> rank & 1) != 0);
    held_ranks &= ~(1u << rank);
}

#endif
