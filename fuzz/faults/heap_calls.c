#include "heap_calls.h"

#include "checked_path.h"
#include "fast_path.h"
#include "page_map.h"
#include "pool.h"

#include <string.h>

static const struct end_call endings[SLOT_STATE_COUNT] = {
    [SLOT_LIVE_MALLOC] = {"free", SLOT_LIVE_MALLOC},
    [SLOT_LIVE_NEW] = {"free", SLOT_LIVE_NEW},
    [SLOT_LIVE_NEW_ARRAY] = {"free", SLOT_LIVE_NEW_ARRAY},
};

static void *make_small(size_t bytes, uint8_t maker)
{
    void *block = sg_policy.is_checked ? checked_allocate(bytes, maker)
                                       : fast_allocate(bytes, maker);

    return block != NULL ? block : sg_pool_allocate(bytes, maker);
}

static void *make_zeroed(size_t bytes)
{
    void *block = sg_policy.is_checked ? NULL : fast_allocate(bytes, SLOT_LIVE_MALLOC);

    return block != NULL ? memset(block, 0, bytes) : sg_pool_allocate_zeroed(bytes);
}

void *heap_make(const struct call *call)
{
    if (call->kind == CALL_CALLOC)
        return make_zeroed(call->bytes);
    if (call->kind == CALL_ALIGNED)
        return sg_pool_allocate_aligned(call->alignment, call->bytes, call->maker);
    return make_small(call->bytes, call->maker);
}

struct answer heap_answer(void *block)
{
    return (struct answer){block, sg_pool_usable_bytes(block, "usable")};
}

/* What aligned_alloc made is ended by free. */
static uint8_t ender_of(uint8_t maker)
{
    return maker == SLOT_LIVE_ALIGNED ? SLOT_LIVE_MALLOC : maker;
}

void heap_free(void *block, uint8_t maker)
{
    uint8_t ender = ender_of(maker);
    bool is_freed = sg_policy.is_checked ? checked_free(block, &endings[ender], BYTES_ANY)
                                         : fast_free(block, ender);

    if (!is_freed)
        sg_pool_free(block, ender, "free");
}

void heap_free_stated(void *block, const struct call *call)
{
    struct stated stated = {.bytes = call->bytes, .alignment = call->alignment};
    uint8_t ender = ender_of(call->maker);
    bool is_freed = false;

    if (call->alignment == 0)
        is_freed = sg_policy.is_checked ? checked_free(block, &endings[ender], call->bytes)
                                        : fast_free_sized(block, call->bytes, ender);
    if (!is_freed)
        sg_pool_free_stated(block, stated, ender, "free_sized");
}

bool heap_is_live(const void *block)
{
    const struct span *span = page_map_lookup((uintptr_t)block);
    const slot_state_byte *state = span == NULL ? NULL : slot_state_of(&span->slots, block);

    return state != NULL && slot_state_is_live(load_relaxed(state));
}
