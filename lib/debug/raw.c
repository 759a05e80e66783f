/* What the tiers below give to a block, and take back. */
#include "bits.h"
#include "debug_state.h"
#include "fast_path.h"
#include "page_map.h"
#include "pool.h"
#include "redzone.h"
#include "size_class.h"
#include "span.h"

static size_t larger(size_t one, size_t other)
{
    return one > other ? one : other;
}

/* The later block in one place begins 16 bytes from where the one before it did: so a pointer to
 * that one is no start of a block, and a stale free is not taken for the free of its successor.
 * Which it was is said in the first byte of what is nobody's at that time; who destroys it by a
 * stale write only makes the two begin in one place. */
#define MARK_FIRST 0xa5

/* A page that is read before it is written costs two faults. */
static uintptr_t alternate(volatile uint8_t *raw, uintptr_t first)
{
    raw[1] = REDZONE_FRONT;
    return raw[0] == MARK_FIRST ? first + MIN_ALIGNMENT : first;
}

/* Rare blocks with alignments beyond what a record can tell have nothing of ours in front. */
static size_t front_of(size_t alignment)
{
    if (UNLIKELY(alignment > RECORD_FRONT_MAX))
        return 0;
    return larger(align_up(sg_options.redzone, MIN_ALIGNMENT), alignment);
}

static void mark(const struct record *record)
{
    uint8_t *raw = (uint8_t *)load_relaxed(&record->start) - record->front_bytes;
    bool is_first = record->front_bytes == front_of(1);

    *raw = is_first ? MARK_FIRST : 0;
}

static void *take(size_t raw_bytes)
{
    void *raw = fast_allocate(raw_bytes, SLOT_LIVE_MALLOC);

    return LIKELY(raw != NULL) ? raw : sg_pool_allocate(raw_bytes, SLOT_LIVE_MALLOC);
}

bool sg_raw_take(const struct making *making, struct raw_block *ret_raw)
{
    size_t redzone = align_up(sg_options.redzone, MIN_ALIGNMENT);
    bool alternates = making->alignment <= MIN_ALIGNMENT;
    size_t front = front_of(making->alignment);
    size_t body = align_up(making->bytes, MIN_ALIGNMENT) + redzone;
    size_t raw_bytes = front + body + (alternates ? MIN_ALIGNMENT : 0);
    void *raw = alternates
                    ? take(raw_bytes)
                    : sg_pool_allocate_aligned(making->alignment, raw_bytes, SLOT_LIVE_MALLOC);

    if (raw == NULL)
        return false;
    uintptr_t start = (uintptr_t)raw + front;
    if (alternates)
        start = alternate(raw, start);
    *ret_raw = (struct raw_block){
        .raw = raw,
        .start = start,
        .front_bytes = (uint32_t)(start - (uintptr_t)raw),
        .behind_bytes = (uint32_t)(body - making->bytes),
    };
    return true;
}

static inline bool closes(const struct record *record)
{
    return debug_is_guard() ||
           record->front_bytes + record->bytes + record->behind_bytes > SMALL_MAX_BYTES;
}

bool sg_raw_closes(const struct record *record)
{
    return closes(record);
}

/* In the profile guard more of the page in front of a block is watched than is the raw block's. */
static void *raw_of(const struct record *record)
{
    uintptr_t start = load_relaxed(&record->start);
    const struct span *span = debug_is_guard() ? page_map_lookup(start) : NULL;

    return (void *)(span != NULL ? span->slots.base : start - record->front_bytes);
}

void sg_raw_give(const struct record *record)
{
    void *raw = raw_of(record);

    if (!closes(record))
        mark(record);
    if (!fast_free(raw, SLOT_LIVE_MALLOC))
        sg_pool_free(raw, SLOT_LIVE_MALLOC, "free");
}
