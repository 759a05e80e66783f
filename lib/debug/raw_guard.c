/* The profile guard: each block has pages of its own, and ends or begins where access does. */
#include "bits.h"
#include "debug_state.h"
#include "large.h"
#include "os_memory.h"
#include "pool.h"
#include "size_class.h"

/* Bytes of the raw block: all up to the end of its last page are the block's or watched, but with
 * an alignment that leaves a gap. */
static size_t raw_bytes(const struct making *making, size_t alignment)
{
    size_t unit = alignment < sg_os_page_bytes ? alignment : sg_os_page_bytes;

    return align_up(making->bytes == 0 ? 1 : making->bytes, unit);
}

/* How far the block is moved up in its raw block, to end with it. No byte may be touched of one
 * without bytes: it begins where access ends. */
static size_t distance(const struct making *making, size_t alignment, size_t raw)
{
    if (making->bytes == 0)
        return raw;
    if (sg_options.guard_exact == 0 || alignment > MIN_ALIGNMENT)
        return 0;
    return raw - making->bytes;
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

    if (raw == NULL && sg_pool_trim(0))
        raw = sg_large_take(request, &zeroed);
    if (raw == NULL)
        return false;
    *ret_raw = (struct raw_block){
        .start = (uintptr_t)raw + front,
        .front_bytes = (uint32_t)front,
        .behind_bytes = (uint32_t)(request.bytes - front - making->bytes),
        .is_zeroed = zeroed,
    };
    return true;
}
