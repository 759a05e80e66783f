/* From any address to the block that it most likely has to do with. Only reports ask. */
#include "debug_state.h"
#include "page_map.h"
#include "record.h"
#include "span.h"

#define STEP_BYTES ((uintptr_t)16)
#define LEAF_BYTES ((uintptr_t)8 << 10) /* of addresses; see record.c */

/* How far from a block an address is still told to be near it: more than a guard is wide. */
#define NEAR_BYTES ((uintptr_t)72 << 10)
#define BLOCK_MAX ((uintptr_t)1 << 40)

struct search {
    uintptr_t address;
    struct record *best;
    uintptr_t distance; /* of the best */
    int rank;
};

static struct record *at_step(uintptr_t step_address)
{
    _Atomic uint32_t *step = sg_record_step(step_address);
    struct record *record;

    if (step == NULL)
        return NULL;
    record = sg_record_of(atomic_load_explicit(step, memory_order_acquire));
    if (record == NULL || load_relaxed(&record->state) == RECORD_NONE ||
        load_relaxed(&record->start) / STEP_BYTES != step_address / STEP_BYTES)
        return NULL;
    return record;
}

static bool is_gone(const struct record *record)
{
    return load_relaxed(&record->state) == RECORD_GONE;
}

/* 0: inside the block, or among the bytes of ours around it. */
static uintptr_t distance_of(const struct record *record, uintptr_t address)
{
    uintptr_t start = load_relaxed(&record->start);
    uintptr_t end = start + record->bytes;

    if (address + record->front_bytes >= start && address < end + record->behind_bytes)
        return 0;
    return address < start ? start - address : address - end + 1;
}

/* A block that is still there tells more than one that is gone; but of pages that are not soon used
 * again, none tells more than the one that was exactly there. */
static int rank_of(const struct record *record, uintptr_t distance)
{
    bool is_live = !is_gone(record);

    if (distance == 0 && (is_live || sg_raw_closes(record)))
        return is_live ? 3 : 2;
    return is_live ? 1 : 0;
}

/* Of those that tell as much the nearest. */
static void consider(struct search *search, struct record *record)
{
    uintptr_t distance = distance_of(record, search->address);
    int rank = rank_of(record, distance);

    if (distance > NEAR_BYTES)
        return;
    if (search->best != NULL &&
        (rank < search->rank || (rank == search->rank && distance >= search->distance)))
        return;
    search->best = record;
    search->distance = distance;
    search->rank = rank;
}

/* Leaves that do not exist are stepped over whole. */
static uintptr_t step_below(uintptr_t step)
{
    if (sg_record_step(step) != NULL)
        return step - STEP_BYTES;
    return (step & ~(LEAF_BYTES - 1)) - STEP_BYTES;
}

/* Where a block may start that holds the address: a long one far below. */
static uintptr_t lowest(uintptr_t address)
{
    const struct span *span = page_map_lookup(address);
    uintptr_t low = address > NEAR_BYTES ? address - NEAR_BYTES : STEP_BYTES;

    if (span != NULL && span->slots.owner == SPAN_LARGE && span->slots.base < low &&
        address - span->slots.base < BLOCK_MAX)
        low = span->slots.base;
    /* A guard of a long block behind its end. */
    span = page_map_lookup(low);
    if (span != NULL && span->slots.owner == SPAN_LARGE && span->slots.base < low &&
        address - span->slots.base < BLOCK_MAX)
        low = span->slots.base;
    return low & ~(STEP_BYTES - 1);
}

struct record *sg_record_around(uintptr_t address)
{
    struct search search = {.address = address};
    uintptr_t low = lowest(address);
    uintptr_t step = (address + NEAR_BYTES) & ~(STEP_BYTES - 1);

    while (step >= low && step <= address + NEAR_BYTES) {
        struct record *record = at_step(step);

        if (record != NULL)
            consider(&search, record);
        if (search.best != NULL && search.distance == 0 && !is_gone(search.best))
            break;
        step = step_below(step);
    }
    return search.best;
}
