#include "checked_path.h"
#include "fast_path.h"
#include "operators.h"
#include "pool.h"

static NOINLINE void *checked_new(size_t bytes)
{
    void *object = checked_allocate(bytes, SLOT_LIVE_NEW_ARRAY);

    return LIKELY(object != NULL) ? object : slot_make(bytes, SLOT_LIVE_NEW_ARRAY);
}

void *sg_new_array(size_t bytes)
{
    if (UNLIKELY(!operators_are_ours()))
        return _Znwm(bytes);

    void *object = sg_policy.is_checked ? checked_new(bytes)
                                        : fast_allocate(bytes, SLOT_LIVE_NEW_ARRAY);
    return LIKELY(object != NULL) ? object : sg_operator_allocate(bytes, 0, SLOT_LIVE_NEW_ARRAY);
}

void *sg_new_array_aligned(size_t bytes, size_t alignment)
{
    if (UNLIKELY(!operators_are_ours()))
        return _ZnwmSt11align_val_t(bytes, alignment);
    return sg_operator_allocate(bytes, alignment, SLOT_LIVE_NEW_ARRAY_ALIGNED);
}

static NOINLINE void checked_delete(void *object)
{
    static const struct end_call ending = {"operator delete[]", SLOT_LIVE_NEW_ARRAY};

    if (UNLIKELY(!checked_free(object, &ending, BYTES_ANY)))
        sg_operator_free(object, SLOT_LIVE_NEW_ARRAY, "operator delete[]");
}

void sg_delete_array(void *object)
{
    if (UNLIKELY(!operators_are_ours()))
        _ZdlPv(object);
    else if (sg_policy.is_checked)
        checked_delete(object);
    else if (UNLIKELY(!fast_free(object, SLOT_LIVE_NEW_ARRAY)))
        sg_operator_free(object, SLOT_LIVE_NEW_ARRAY, "operator delete[]");
}

void sg_delete_array_aligned(void *object, size_t alignment)
{
    struct stated stated = {.alignment = alignment, .without_bytes = true};

    if (UNLIKELY(!operators_are_ours()))
        _ZdlPvSt11align_val_t(object, alignment);
    else
        sg_operator_free_stated(object, stated, SLOT_LIVE_NEW_ARRAY_ALIGNED, "operator delete[]");
}

#define ALIAS(original) EXPORT __attribute__((alias(#original)))
ALIAS(sg_new_array) void *_Znam(size_t bytes);
ALIAS(sg_new_array_aligned) void *_ZnamSt11align_val_t(size_t bytes, size_t alignment);
ALIAS(sg_delete_array) void _ZdaPv(void *object);
ALIAS(sg_delete_array_aligned) void _ZdaPvSt11align_val_t(void *object, size_t alignment);
