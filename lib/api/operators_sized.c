/* Sized delete: the compiler states the size of the type that it believes to delete. A delete
 * through a base class without a virtual destructor states the wrong one. */
#include "checked_path.h"
#include "fast_path.h"
#include "operators.h"
#include "pool.h"

/* Apart from the fast path, whose stack frame they would otherwise enlarge. */
static NOINLINE void delete_slow(void *object, size_t bytes)
{
    struct stated stated = {.bytes = bytes};

    if (UNLIKELY(!operators_are_ours()))
        _ZdlPv(object);
    else
        sg_operator_free_stated(object, stated, SLOT_LIVE_NEW, "operator delete");
}

static NOINLINE void delete_array_slow(void *object, size_t bytes)
{
    struct stated stated = {.bytes = bytes};

    if (UNLIKELY(!operators_are_ours()))
        _ZdaPv(object);
    else
        sg_operator_free_stated(object, stated, SLOT_LIVE_NEW_ARRAY, "operator delete[]");
}

static NOINLINE void checked_delete(void *object, size_t bytes)
{
    static const struct end_call ending = {"operator delete", SLOT_LIVE_NEW};

    if (UNLIKELY(!checked_free(object, &ending, bytes)))
        delete_slow(object, bytes);
}

EXPORT void _ZdlPvm(void *object, size_t bytes)
{
    if (sg_policy.is_checked && load_relaxed(&sg_operators_state) == OPERATORS_ARE_OURS) {
        checked_delete(object, bytes);
        return;
    }
    if (UNLIKELY(load_relaxed(&sg_operators_state) != OPERATORS_ARE_OURS) || sg_policy.is_checked ||
        UNLIKELY(!fast_free_sized(object, bytes, SLOT_LIVE_NEW)))
        delete_slow(object, bytes);
}

EXPORT void _ZdaPvm(void *object, size_t bytes)
{
    if (UNLIKELY(load_relaxed(&sg_operators_state) != OPERATORS_ARE_OURS) || sg_policy.is_checked ||
        UNLIKELY(!fast_free_sized(object, bytes, SLOT_LIVE_NEW_ARRAY)))
        delete_array_slow(object, bytes);
}

EXPORT void _ZdlPvmSt11align_val_t(void *object, size_t bytes, size_t alignment)
{
    if (UNLIKELY(!operators_are_ours()))
        _ZdlPvSt11align_val_t(object, alignment);
    else
        sg_operator_free_stated(object, (struct stated){.bytes = bytes, .alignment = alignment},
                                SLOT_LIVE_NEW_ALIGNED, "operator delete");
}

EXPORT void _ZdaPvmSt11align_val_t(void *object, size_t bytes, size_t alignment)
{
    if (UNLIKELY(!operators_are_ours()))
        _ZdaPvSt11align_val_t(object, alignment);
    else
        sg_operator_free_stated(object, (struct stated){.bytes = bytes, .alignment = alignment},
                                SLOT_LIVE_NEW_ARRAY_ALIGNED, "operator delete[]");
}
