#include "checked_path.h"
#include "fast_path.h"
#include "operators.h"
#include "pool.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

/* In libstdc++ if that is in the process. */
typedef void (*new_handler)(void);
extern new_handler _ZSt15get_new_handlerv(void) __attribute__((weak));
extern void _ZSt17__throw_bad_allocv(void) __attribute__((weak));

/* libstdc++ may have come after us, by dlopen. No lock is held where this is called. */
static void *find(const char *name, void *linked)
{
    return linked != NULL ? linked : dlsym(RTLD_DEFAULT, name);
}

static new_handler current_handler(void)
{
    void *get = find("_ZSt15get_new_handlerv", (void *)(uintptr_t)_ZSt15get_new_handlerv);

    return get == NULL ? NULL : ((new_handler(*)(void))(uintptr_t)get)();
}

static _Noreturn void throw_bad_alloc(void)
{
    void *throw = find("_ZSt17__throw_bad_allocv", (void *)(uintptr_t)_ZSt17__throw_bad_allocv);

    if (throw != NULL)
        ((void (*)(void))(uintptr_t) throw)();
    abort(); /* no C++ library: nobody could catch it */
}

void *sg_operator_allocate(size_t bytes, size_t alignment, uint8_t maker)
{
    for (;;) { /* ends by what the handler does, as the standard wants it */
        void *object = alignment == 0 ? sg_pool_allocate(bytes, maker)
                                      : sg_pool_allocate_aligned(alignment, bytes, maker);
        if (object != NULL)
            return object;

        new_handler handler = current_handler();
        errno = ENOMEM;
        if (handler == NULL)
            throw_bad_alloc();
        handler();
    }
}

void sg_operator_free(void *object, uint8_t maker, const char *function)
{
    int saved = errno;

    sg_pool_free(object, maker, function);
    errno = saved;
}

void sg_operator_free_stated(void *object, struct stated stated, uint8_t maker,
                             const char *function)
{
    int saved = errno;

    sg_pool_free_stated(object, stated, maker, function);
    errno = saved;
}

static NOINLINE void *new_longer(size_t bytes)
{
    void *object = slot_make(bytes, SLOT_LIVE_NEW);

    return LIKELY(object != NULL) ? object : sg_operator_allocate(bytes, 0, SLOT_LIVE_NEW);
}

static NOINLINE void *checked_new(size_t bytes)
{
    void *object = checked_allocate(bytes, SLOT_LIVE_NEW);

    return LIKELY(object != NULL) ? object : new_longer(bytes);
}

void *sg_new(size_t bytes)
{
    if (sg_policy.is_checked)
        return checked_new(bytes);

    void *object = fast_allocate(bytes, SLOT_LIVE_NEW);

    return LIKELY(object != NULL) ? object : sg_operator_allocate(bytes, 0, SLOT_LIVE_NEW);
}

void *sg_new_aligned(size_t bytes, size_t alignment)
{
    return sg_operator_allocate(bytes, alignment, SLOT_LIVE_NEW_ALIGNED);
}

static NOINLINE void checked_delete(void *object)
{
    static const struct end_call ending = {"operator delete", SLOT_LIVE_NEW};

    if (UNLIKELY(!checked_free(object, &ending, BYTES_ANY)))
        sg_operator_free(object, SLOT_LIVE_NEW, "operator delete");
}

void sg_delete(void *object)
{
    if (sg_policy.is_checked) {
        checked_delete(object);
        return;
    }
    if (UNLIKELY(!fast_free(object, SLOT_LIVE_NEW)))
        sg_operator_free(object, SLOT_LIVE_NEW, "operator delete");
}

void sg_delete_aligned(void *object, size_t alignment)
{
    struct stated stated = {.alignment = alignment, .without_bytes = true};

    sg_operator_free_stated(object, stated, SLOT_LIVE_NEW_ALIGNED, "operator delete");
}

#define ALIAS(original) EXPORT __attribute__((alias(#original)))
ALIAS(sg_new) void *_Znwm(size_t bytes);
ALIAS(sg_new_aligned) void *_ZnwmSt11align_val_t(size_t bytes, size_t alignment);
ALIAS(sg_delete) void _ZdlPv(void *object);
ALIAS(sg_delete_aligned) void _ZdlPvSt11align_val_t(void *object, size_t alignment);
