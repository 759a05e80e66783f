#include "api_names.h"

#include "api_calls.h"

#include "bits.h"
#include "slot.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

void *_Znwm(size_t bytes), *_Znam(size_t bytes);
void *_ZnwmRKSt9nothrow_t(size_t bytes, const void *), *_ZnamRKSt9nothrow_t(size_t, const void *);
void _ZdlPv(void *), _ZdaPv(void *), _ZdlPvm(void *, size_t), _ZdaPvm(void *, size_t);
void cfree(void *);
void free_sized(void *, size_t), free_aligned_sized(void *, size_t, size_t);

/* Whether a call that may fail did, and said so as it must. */
static void *judged(const struct call *call, void *block, int error)
{
    if (errno != (block == NULL ? error : API_ERRNO))
        shadow_fail(block == NULL ? "a failure has another errno" : "a success changed errno",
                    call->slot);
    errno = API_ERRNO;
    return block;
}

static void expect_refusal(const struct call *call, void *block, int error)
{
    if (judged(call, block, error) != NULL)
        shadow_fail("what cannot be was had", call->slot);
}

/* Number and size whose product wraps around to some 8 bytes more than `bytes`. */
static void *multiplied(const struct call *call, void *block, bool is_calloc)
{
    size_t each = (size_t)1 << (1 + call->bytes % 60);
    size_t count = SIZE_MAX / each + 2 + call->bytes / each % 64;

    return is_calloc ? calloc(count, each) : reallocarray(block, count, each);
}

static void *make_zeroed(const struct call *call)
{
    if (call->variant == 3)
        expect_refusal(call, multiplied(call, NULL, true), ENOMEM);
    return call->variant == 1 ? calloc(call->bytes, 1) : calloc(1, call->bytes);
}

static void *make_posix(const struct call *call)
{
    void *block = &block;
    int result = posix_memalign(&block, call->alignment, call->bytes);

    if (result == 0)
        return block;
    if (errno != API_ERRNO || block != &block)
        shadow_fail("posix_memalign changed something and failed", call->slot);
    errno = result;
    return NULL;
}

static void refuse_alignments(const struct call *call)
{
    static const volatile size_t bad[2] = {0, 24}; /* no constants: compilers refuse those */
    void *block = &block;

    if (posix_memalign(&block, call->alignment + sizeof(void *) * 3, 1) != EINVAL &&
        !is_power_of_two(call->alignment + sizeof(void *) * 3))
        shadow_fail("posix_memalign took a bad alignment", call->slot);
    if (posix_memalign(&block, sizeof(void *) / 2, 1) != EINVAL || block != &block)
        shadow_fail("posix_memalign took an alignment too small", call->slot);
    expect_refusal(call, aligned_alloc(bad[0], call->bytes), EINVAL);
    expect_refusal(call, aligned_alloc(bad[1], call->bytes), EINVAL);
}

static void *make_aligned(const struct call *call)
{
    if (call->variant == 1 && call->alignment >= sizeof(void *))
        return make_posix(call);
    if (call->variant == 2)
        return call->alignment == 4096 ? valloc(call->bytes)
                                       : memalign(call->alignment, call->bytes);
    if (call->variant == 3)
        refuse_alignments(call);
    return aligned_alloc(call->alignment, call->bytes);
}

/* Where new would throw, the kind is asked that does not. */
static void *make_new(const struct call *call)
{
    if (call->maker == SLOT_LIVE_NEW)
        return call->must_fail ? _ZnwmRKSt9nothrow_t(call->bytes, "") : _Znwm(call->bytes);
    return call->must_fail ? _ZnamRKSt9nothrow_t(call->bytes, "") : _Znam(call->bytes);
}

static void *make(const struct call *call)
{
    if (call->kind == CALL_CALLOC)
        return make_zeroed(call);
    if (call->kind == CALL_ALIGNED)
        return make_aligned(call);
    return call->maker == SLOT_LIVE_MALLOC ? malloc(call->bytes) : make_new(call);
}

void *api_make(const struct call *call)
{
    return judged(call, make(call), ENOMEM);
}

void *api_resize(const struct call *call, void *block)
{
    if (call->variant == 3)
        expect_refusal(call, multiplied(call, block, false), ENOMEM);
    if (call->variant == 1)
        return judged(call, reallocarray(block, call->bytes, 1), ENOMEM);
    return judged(call, realloc(block, call->bytes), ENOMEM);
}

static void end_plainly(const struct call *call, void *block)
{
    if (call->maker == SLOT_LIVE_NEW)
        _ZdlPv(block);
    else if (call->maker == SLOT_LIVE_NEW_ARRAY)
        _ZdaPv(block);
    else if (call->variant == 1)
        cfree(block);
    else if (call->variant == 2 && call->maker == SLOT_LIVE_MALLOC)
        (void)!realloc(block, 0);
    else
        free(block);
}

static void end_stated(const struct call *call, void *block)
{
    if (call->maker == SLOT_LIVE_NEW)
        _ZdlPvm(block, call->bytes);
    else if (call->maker == SLOT_LIVE_NEW_ARRAY)
        _ZdaPvm(block, call->bytes);
    else if (call->alignment != 0)
        free_aligned_sized(block, call->alignment, call->bytes);
    else
        free_sized(block, call->bytes);
}

void api_end(const struct call *call, void *block)
{
    if (call->kind == CALL_FREE_STATED)
        end_stated(call, block);
    else
        end_plainly(call, block);
}

size_t api_usable(void *block)
{
    return malloc_usable_size(block);
}

void api_trim(const struct call *call)
{
    if (mallopt(M_MMAP_THRESHOLD, 1) != 1 || mallopt(4711, 1) != 0)
        shadow_fail("mallopt knows other parameters", call->slot);
    (void)malloc_trim(call->bytes);
}
