#include "sample.h"

#include "annotate.h"
#include "metadata.h"
#include "options.h"

#define SAMPLES_MAX 65536u

/* Release and acquire: who finds the table finds its zeroes. Written once. */
static _Atomic(struct sample *) samples;
static _Atomic uint32_t next; /* relaxed: where to look first */
static _Atomic uint32_t used; /* relaxed: a count that spares the search where there is none */

static uint32_t sample_count(void)
{
    return sg_options.sample_slots < SAMPLES_MAX ? (uint32_t)sg_options.sample_slots : SAMPLES_MAX;
}

static struct sample *table(void)
{
    struct sample *found = atomic_load_explicit(&samples, memory_order_acquire);

    if (found != NULL || sample_count() == 0)
        return found;
    struct sample *made = sg_metadata_map(sample_count() * sizeof(struct sample));
    if (made == NULL)
        return NULL;
    ANNOTATE_ATOMIC(&samples, sizeof(samples));
    ANNOTATE_ATOMIC(made, sample_count() * sizeof(struct sample));
    /* Acquire on failure: another thread's table. Ours is lost then, once in a process. */
    if (!atomic_compare_exchange_strong_explicit(&samples, &found, made, memory_order_acq_rel,
                                                 memory_order_acquire))
        return found;
    return made;
}

static void keep_stack(struct stack *stack)
{
    stack->count = (uint32_t)sg_unwind(stack->frames, STACK_FRAMES, NULL);
}

uint32_t sg_sample_begin(void)
{
    struct sample *all = table();
    uint32_t count = all == NULL ? 0 : sample_count();
    uint32_t first = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed);

    if (load_relaxed(&used) >= count)
        return 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = (first + i) % count;

        if (atomic_exchange_explicit(&all[index].is_used, true, memory_order_acquire))
            continue;
        atomic_fetch_add_explicit(&used, 1, memory_order_relaxed);
        keep_stack(&all[index].allocated);
        all[index].freed.count = 0;
        return index + 1;
    }
    return 0;
}

static struct sample *record(uint32_t number)
{
    struct sample *all = atomic_load_explicit(&samples, memory_order_acquire);

    return number == 0 || all == NULL ? NULL : &all[number - 1];
}

void sg_sample_note_free(uint32_t number)
{
    struct sample *sample = record(number);

    if (sample != NULL)
        keep_stack(&sample->freed);
}

void sg_sample_end(uint32_t number)
{
    struct sample *sample = record(number);

    if (sample == NULL)
        return;
    atomic_fetch_sub_explicit(&used, 1, memory_order_relaxed);
    atomic_store_explicit(&sample->is_used, false, memory_order_release);
}

const struct sample *sg_sample_of(uint32_t number)
{
    return record(number);
}
