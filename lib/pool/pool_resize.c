/* realloc. */
#include "checked_slot.h"
#include "large.h"
#include "page_map.h"
#include "policy.h"
#include "pool.h"
#include "pool_end.h"
#include "system_pool.h"

/* Whether the block may stay where it is: it is large enough, and not twice too large. */
static bool resize_in_place(const struct block *block, void *object, size_t bytes)
{
    uint32_t class = block->span->slots.class;

    if (sg_policy.is_guarded && class == CLASS_LARGE)
        return bytes == block->bytes; /* else it would not end with its page */
    if (class == CLASS_LARGE)
        return policy_class_of(bytes) == CLASS_LARGE && sg_large_resize(block->span, bytes);

    size_t usable_bytes = policy_usable_bytes(class);
    if (bytes > usable_bytes || bytes <= usable_bytes / 2)
        return false;
    slot_resize(object, class, bytes);
    return true;
}

/* Of a block that now holds `bytes` where it is. Not ALIGNED any more: realloc keeps no promise of
 * aligned_alloc. */
static uint8_t state_after_resize(const struct block *block, size_t bytes)
{
    uint32_t class = block->span->slots.class;

    if (block->live_state == SLOT_LIVE_TYPED)
        return SLOT_LIVE_TYPED;
    return class == CLASS_LARGE || policy_class_of(bytes) == class ? SLOT_LIVE_MALLOC
                                                                   : SLOT_LIVE_SHRUNK;
}

/* False: nothing moved, and `to` is lost. */
static bool move_contents(void *to, const struct block *from, void *object, size_t bytes)
{
    size_t old_bytes = from->bytes;
    size_t kept_bytes = bytes < old_bytes ? bytes : old_bytes;
    struct span *span = page_map_lookup((uintptr_t)to); /* NULL: of another pool */

    if (span != NULL && span->slots.class == CLASS_LARGE && from->span->slots.class == CLASS_LARGE)
        return sg_large_move(span, from->span, kept_bytes);
    __builtin_memcpy(to, object, kept_bytes);
    return true;
}

static void *make_new(const struct block *old, size_t bytes)
{
    if (old->live_state == SLOT_LIVE_TYPED)
        return sg_pool_allocate_typed(bytes, old->span->partition);

    void *object = sg_policy.is_checked ? slot_make(bytes, SLOT_LIVE_MALLOC) : NULL;
    return object != NULL ? object : sg_pool_allocate(bytes, SLOT_LIVE_MALLOC);
}

/* A new block with the contents of the old one, which is as it was; NULL: no memory. */
static void *move_to_new(const struct block *block, void *object, size_t bytes)
{
    void *moved = make_new(block, bytes);

    if (moved == NULL || !move_contents(moved, block, object, bytes))
        return NULL;
    return moved;
}

/* There is no memory for a smaller block: the old one says that it is one. */
static void keep_larger(const struct block *block, void *object, size_t bytes)
{
    uint32_t class = block->span->slots.class;

    if (class != CLASS_LARGE)
        slot_resize(object, class, bytes);
    else
        (void)!sg_large_resize(block->span, bytes);
}

/* The old block is proven, and if it is large it is claimed. `*ret_state` is what it is if it
 * stays; the result is `object` then, or NULL. */
static void *reallocate(const struct block *block, void *object, size_t bytes, uint8_t *ret_state)
{
    *ret_state = block->live_state;
    if (!resize_in_place(block, object, bytes)) {
        void *moved = move_to_new(block, object, bytes);

        if (moved != NULL || bytes > block->bytes)
            return moved;
        keep_larger(block, object, bytes); /* rather than fail */
    }
    *ret_state = state_after_resize(block, bytes);
    return object;
}

void *sg_pool_reallocate(void *object, size_t bytes, const char *function)
{
    if (system_pool_has(object))
        return sg_system_pool.call.reallocate(object, bytes);

    struct block block = sg_block_prove(object, function);
    bool is_large = block.span->slots.class == CLASS_LARGE;
    uint8_t state;

    sg_block_require_maker(&block, SLOT_LIVE_MALLOC, object, function);
    if (bytes > MAX_OBJECT_BYTES)
        return NULL;
    if (is_large)
        sg_pool_claim(&block, object, function);

    void *result = reallocate(&block, object, bytes, &state);
    if (result == object || result == NULL)
        store_relaxed(block.state, state);
    else if (is_large)
        sg_pool_end_claimed(&block, object, function);
    else
        sg_pool_end(&block, object, function);
    return result;
}
