/* The profile guard: each block has pages of its own, and ends or begins where access does. */
#include "bits.h"
#include "debug_state.h"
#include "large.h"
#include "os_memory.h"
#include "pool.h"
#include "size_class.h"

/* Beyond this alignment a block without bytes has a page that can be touched: one without would
 * take as many addresses as the alignment is. */
#define EMPTY_ALIGNMENT_MAX ((size_t)1 << 20)

/* Bytes of the raw block: all up to the end of its last page are the block's or watched, but with
 * an alignment that leaves a gap. */
static size_t raw_bytes(const struct making *making, size_t alignment)
{
    size_t unit = alignment < sg_os_page_bytes ? alignment : sg_os_page_bytes;

    if (making->bytes == 0)
        return alignment <= EMPTY_ALIGNMENT_MAX ? alignment : unit;
    return align_up(making->bytes, unit);
}

/* How far the block is moved up in its raw block, to end with it. No byte may be touched of one
 * without bytes: it begins where access ends. */
static size_t distance(const struct making *making, size_t alignment, size_t raw)
{
    if (making->bytes == 0)
        return alignment <= EMPTY_ALIGNMENT_MAX ? raw : 0;
    if (sg_options.guard_exact == 0 || alignment > MIN_ALIGNMENT)
        return 0;
    return raw - making->bytes;
}

/* What lies between the page's start and the block is nobody's: the nearest part of it shows who
 * writes in front of the block. More of it would cost more than the rest of the call. */
#define WATCHED_MOST ((uintptr_t)128)

static uint32_t watched_in_front(uintptr_t start, uintptr_t raw)
{
    uintptr_t page = align_down(raw, sg_os_page_bytes);

    return (uint32_t)(start - page < WATCHED_MOST ? start - page : WATCHED_MOST);
}

bool sg_raw_take_guarded(const struct making *making, struct raw_block *ret_raw)
{
    size_t alignment = making->alignment < MIN_ALIGNMENT ? MIN_ALIGNMENT : making->alignment;
    bool ends = sg_options.guard_side == GUARD_ABOVE;
    struct large_request request = {
        .bytes = raw_bytes(making, alignment),
        .alignment = making->alignment,
        .maker = SLOT_LIVE_MALLOC,
        .at_the_end = ends,
    };
    size_t front = ends ? distance(making, alignment, request.bytes) : 0;
    bool zeroed = false;
    void *raw = sg_large_take(request, &zeroed);

    if (raw == NULL) {
        (void)sg_pool_trim(0); /* whatever it says of memory: addresses that were held are free */
        raw = sg_large_take(request, &zeroed);
    }
    if (raw == NULL)
        return false;
    *ret_raw = (struct raw_block){
        .raw = raw,
        .start = (uintptr_t)raw + front,
        .front_bytes = watched_in_front((uintptr_t)raw + front, (uintptr_t)raw),
        .behind_bytes = (uint32_t)(request.bytes - front - making->bytes),
        .is_zeroed = zeroed,
    };
    return true;
}
