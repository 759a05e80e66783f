/* Sized delete: the compiler states the size of the type that it believes to delete. A delete
 * through a base class without a virtual destructor states the wrong one. */
#include "fast_path.h"
#include "operators.h"
#include "pool.h"

EXPORT void _ZdlPvm(void *object, size_t bytes)
{
    if (UNLIKELY(!operators_are_ours()))
        _ZdlPv(object);
    else if (UNLIKELY(!fast_free_sized(object, bytes, SLOT_LIVE_NEW)))
        sg_operator_free_stated(object, (struct stated){.bytes = bytes}, SLOT_LIVE_NEW,
                                "operator delete");
}

EXPORT void _ZdaPvm(void *object, size_t bytes)
{
    if (UNLIKELY(!operators_are_ours()))
        _ZdaPv(object);
    else if (UNLIKELY(!fast_free_sized(object, bytes, SLOT_LIVE_NEW_ARRAY)))
        sg_operator_free_stated(object, (struct stated){.bytes = bytes}, SLOT_LIVE_NEW_ARRAY,
                                "operator delete[]");
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
