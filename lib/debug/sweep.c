#include "sweep.h"

#include "os_thread.h"

#define SWEEPS_MOST 128u /* at once */
#define FULL_MILLISECONDS 1000u
#define SPINS 10000u
#define FOREIGN_MILLISECONDS 1000u /* the parent of a vfork may yet be at it */

/* Relaxed but where it is said: each is written by its own thread, and read by others only long
 * after, or in a child that has no other thread. */
static struct sweep sweeps[SWEEPS_MOST];

/* Whether nobody gave one back for long: they were left by a longjmp, or their threads ended.
 * Relaxed: at worst one more waits, or one less. */
static _Atomic bool is_full;

static struct sweep *take(void)
{
    for (uint32_t i = 0; i < SWEEPS_MOST; i++) {
        uintptr_t nobody = 0;

        if (load_relaxed(&sweeps[i].thread) != 0)
            continue;
        /* Acquire: pairs with sg_sweep_end(), whose thread had it before. */
        if (atomic_compare_exchange_strong_explicit(&sweeps[i].thread, &nobody, os_thread_tag(),
                                                    memory_order_acquire, memory_order_relaxed)) {
            store_relaxed(&sweeps[i].process, sg_os_process_id());
            return &sweeps[i];
        }
    }
    return NULL;
}

struct sweep *sg_sweep_begin(void)
{
    struct sweep *sweep = take();
    _Atomic uint32_t never = 0;

    for (uint32_t i = 0; sweep == NULL && !load_relaxed(&is_full) && i < FULL_MILLISECONDS; i++) {
        (void)sg_os_wait(&never, 0, 1);
        sweep = take();
    }
    store_relaxed(&is_full, sweep == NULL);
    return sweep;
}

void sg_sweep_end(struct sweep *sweep)
{
    atomic_store_explicit(&sweep->thread, 0, memory_order_release);
}

/* Said first: there is no moment at which the record is claimed and nobody says so. */
bool sg_sweep_claim(struct sweep *sweep, struct record *record, uint8_t from)
{
    store_relaxed(&sweep->state, from);
    store_relaxed(&sweep->number, record->number);
    atomic_signal_fence(memory_order_seq_cst);
    if (record_claim(record, from))
        return true;
    store_relaxed(&sweep->number, 0);
    return false;
}

void sg_sweep_leave(struct sweep *sweep, struct record *record)
{
    record_become(record, load_relaxed(&sweep->state));
    atomic_signal_fence(memory_order_seq_cst);
    store_relaxed(&sweep->number, 0);
}

/* Of a thread that does not go on with it: of another thread of the parent, or of this one, whose
 * report is out. If it was a third thread that had claimed the record just before, that one had
 * changed nothing that a check looks at. */
static void abandon(struct sweep *sweep)
{
    struct record *record = sg_record_of(load_relaxed(&sweep->number));

    if (record != NULL && load_relaxed(&record->state) == RECORD_BUSY)
        record_become(record, load_relaxed(&sweep->state));
    store_relaxed(&sweep->number, 0);
    sg_sweep_end(sweep);
}

static bool looks_at(const struct sweep *sweep, const struct record *record)
{
    return load_relaxed(&sweep->thread) != 0 && load_relaxed(&sweep->number) == record->number;
}

static enum sweep_holder holder_of(const struct record *record)
{
    enum sweep_holder holder = SWEEP_NOBODY;

    for (uint32_t i = 0; i < SWEEPS_MOST && holder != SWEEP_OWN; i++)
        if (looks_at(&sweeps[i], record))
            holder = load_relaxed(&sweeps[i].thread) == os_thread_tag() ? SWEEP_OWN : SWEEP_OTHER;
    return holder;
}

/* Those of other processes: for the child of _Fork or clone, in which no handler of fork ran. */
static void abandon_foreign(const struct record *record)
{
    for (uint32_t i = 0; i < SWEEPS_MOST; i++)
        if (looks_at(&sweeps[i], record) && load_relaxed(&sweeps[i].process) != sg_os_process_id())
            abandon(&sweeps[i]);
}

enum sweep_holder sg_sweep_await(const struct record *record)
{
    _Atomic uint32_t never = 0;
    enum sweep_holder holder;

    for (uint32_t i = 0; (holder = holder_of(record)) == SWEEP_OTHER; i++)
        if (i < SPINS) {
            os_relax();
        } else {
            (void)sg_os_wait(&never, 0, 1);
            if (i > SPINS + FOREIGN_MILLISECONDS)
                abandon_foreign(record);
        }
    return holder;
}

void sg_sweep_fork(enum fork_step step)
{
    if (step != FORK_CHILD && step != FORK_REPAIR)
        return;
    for (uint32_t i = 0; i < SWEEPS_MOST; i++) {
        uintptr_t thread = load_relaxed(&sweeps[i].thread);

        if (thread != 0 && thread != os_thread_tag())
            abandon(&sweeps[i]);
    }
}

void sg_sweep_give_up(void)
{
    for (uint32_t i = 0; i < SWEEPS_MOST; i++)
        if (load_relaxed(&sweeps[i].thread) == os_thread_tag())
            abandon(&sweeps[i]);
}
