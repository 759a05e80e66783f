/* The nothrow forms. When memory is short they must call the new-handler and swallow what it
 * throws; C cannot catch, libstdc++'s own form can: it calls the throwing form, which is ours. */
#include "operators.h"
#include "pool.h"

#include <dlfcn.h>
#include <errno.h>

typedef void *(*nothrow_form)(size_t bytes, const struct nothrow *tag);
typedef void *(*nothrow_aligned_form)(size_t bytes, size_t alignment, const struct nothrow *tag);

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

/* NULL if there is no C++ library behind us. */
static void *next_form(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* _Zna..., not _Znw...: without a C++ library the program's own form of the same kind is called. */
static bool is_of_arrays(const char *name)
{
    return name[3] == 'a';
}

static COLD void *through_library(const char *name, size_t bytes, const struct nothrow *tag)
{
    nothrow_form form = (nothrow_form)(uintptr_t)next_form(name);

    if (form != NULL)
        return form(bytes, tag);
    if (operators_are_ours())
        return no_memory();
    return is_of_arrays(name) ? _Znam(bytes) : _Znwm(bytes);
}

static COLD void *through_library_aligned(const char *name, size_t bytes, size_t alignment,
                                          const struct nothrow *tag)
{
    nothrow_aligned_form form = (nothrow_aligned_form)(uintptr_t)next_form(name);

    if (form != NULL)
        return form(bytes, alignment, tag);
    if (operators_are_ours())
        return no_memory();
    return is_of_arrays(name) ? _ZnamSt11align_val_t(bytes, alignment)
                              : _ZnwmSt11align_val_t(bytes, alignment);
}

EXPORT void *_ZnwmRKSt9nothrow_t(size_t bytes, const struct nothrow *tag)
{
    void *object = operators_are_ours() ? sg_pool_allocate(bytes, SLOT_LIVE_NEW) : NULL;

    return LIKELY(object != NULL) ? object : through_library("_ZnwmRKSt9nothrow_t", bytes, tag);
}

EXPORT void *_ZnamRKSt9nothrow_t(size_t bytes, const struct nothrow *tag)
{
    void *object = operators_are_ours() ? sg_pool_allocate(bytes, SLOT_LIVE_NEW_ARRAY) : NULL;

    return LIKELY(object != NULL) ? object : through_library("_ZnamRKSt9nothrow_t", bytes, tag);
}

EXPORT void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t bytes, size_t alignment,
                                                const struct nothrow *tag)
{
    void *object = operators_are_ours()
                       ? sg_pool_allocate_aligned(alignment, bytes, SLOT_LIVE_NEW_ALIGNED)
                       : NULL;

    return LIKELY(object != NULL) ? object
                                  : through_library_aligned("_ZnwmSt11align_val_tRKSt9nothrow_t",
                                                            bytes, alignment, tag);
}

EXPORT void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t bytes, size_t alignment,
                                                const struct nothrow *tag)
{
    void *object = operators_are_ours()
                       ? sg_pool_allocate_aligned(alignment, bytes, SLOT_LIVE_NEW_ARRAY_ALIGNED)
                       : NULL;

    return LIKELY(object != NULL) ? object
                                  : through_library_aligned("_ZnamSt11align_val_tRKSt9nothrow_t",
                                                            bytes, alignment, tag);
}

/* Called by the compiler only, when a constructor throws inside a nothrow new. */
EXPORT void _ZdlPvRKSt9nothrow_t(void *object, const struct nothrow *tag)
{
    (void)tag;
    _ZdlPv(object);
}

EXPORT void _ZdaPvRKSt9nothrow_t(void *object, const struct nothrow *tag)
{
    (void)tag;
    _ZdaPv(object);
}

EXPORT void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *object, size_t alignment,
                                                const struct nothrow *tag)
{
    (void)tag;
    _ZdlPvSt11align_val_t(object, alignment);
}

EXPORT void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *object, size_t alignment,
                                                const struct nothrow *tag)
{
    (void)tag;
    _ZdaPvSt11align_val_t(object, alignment);
}
