#include "api_errors.h"
#include "checked_path.h"
#include "fast_path.h"
#include "pool.h"
#include "system_find.h"

static NOINLINE void *allocate_slow(size_t bytes)
{
    return or_no_memory(sg_pool_allocate(bytes, SLOT_LIVE_MALLOC));
}

static NOINLINE void *allocate_longer(size_t bytes)
{
    void *object = slot_make(bytes, SLOT_LIVE_MALLOC);

    return LIKELY(object != NULL) ? object : allocate_slow(bytes);
}

/* Apart: so the profile `fast` needs no stack. */
static NOINLINE void *checked_malloc(size_t bytes)
{
    void *object = checked_allocate(bytes, SLOT_LIVE_MALLOC);

    return LIKELY(object != NULL) ? object : allocate_longer(bytes);
}

EXPORT void *malloc(size_t bytes)
{
    if (sg_policy.is_checked)
        return checked_malloc(bytes);

    void *object = fast_allocate(bytes, SLOT_LIVE_MALLOC);

    if (LIKELY(object != NULL))
        return object;
    return allocate_slow(bytes);
}

/* POSIX 2024: free keeps errno, also when memory goes back to the kernel on the way. */
static NOINLINE void free_slow(void *object, const char *function)
{
    int saved = errno;

    sg_pool_free(object, SLOT_LIVE_MALLOC, function);
    errno = saved;
}

static NOINLINE void free_checked(void *object)
{
    static const struct end_call ending = {"free", SLOT_LIVE_MALLOC};

    if (UNLIKELY(!checked_free(object, &ending, BYTES_ANY)))
        free_slow(object, "free");
}

EXPORT void free(void *object)
{
    if (sg_policy.is_checked) {
        free_checked(object);
        return;
    }
    if (UNLIKELY(!fast_free(object, SLOT_LIVE_MALLOC)))
        free_slow(object, "free");
}

/* What checked_allocate() hands out was found to be zero just now. */
static NOINLINE void *checked_calloc(size_t bytes)
{
    void *object = checked_allocate(bytes, SLOT_LIVE_MALLOC);

    return LIKELY(object != NULL) ? object : or_no_memory(sg_pool_allocate_zeroed(bytes));
}

EXPORT void *calloc(size_t count, size_t bytes_each)
{
    size_t bytes;

    if (UNLIKELY(__builtin_mul_overflow(count, bytes_each, &bytes)))
        return or_no_memory(NULL);

    if (sg_policy.is_checked)
        return checked_calloc(bytes);

    void *object = fast_allocate(bytes, SLOT_LIVE_MALLOC);
    if (LIKELY(object != NULL))
        return __builtin_memset(object, 0, bytes);
    return or_no_memory(sg_pool_allocate_zeroed(bytes));
}

static void *reallocate(void *object, size_t bytes, const char *function)
{
    if (object == NULL)
        return or_no_memory(sg_pool_allocate(bytes, SLOT_LIVE_MALLOC));
    if (bytes == 0) { /* as glibc does; undefined since C23 */
        free_slow(object, function);
        return NULL;
    }
    return or_no_memory(sg_pool_reallocate(object, bytes, function));
}

EXPORT void *realloc(void *object, size_t bytes)
{
    return reallocate(object, bytes, "realloc");
}

EXPORT void *reallocarray(void *object, size_t count, size_t bytes_each)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, bytes_each, &bytes))
        return or_no_memory(NULL);
    return reallocate(object, bytes, "reallocarray");
}

EXPORT void cfree(void *object)
{
    free_slow(object, "cfree");
}

static NOINLINE void free_stated(void *object, struct stated stated, const char *function)
{
    int saved = errno;

    sg_pool_free_stated(object, stated, SLOT_LIVE_MALLOC, function);
    errno = saved;
}

/* C23 7.24.3.4. */
EXPORT void free_sized(void *object, size_t bytes)
{
    if (sg_policy.is_checked || UNLIKELY(!fast_free_sized(object, bytes, SLOT_LIVE_MALLOC)))
        free_stated(object, (struct stated){.bytes = bytes}, "free_sized");
}

/* C23 7.24.3.5. */
EXPORT void free_aligned_sized(void *object, size_t alignment, size_t bytes)
{
    free_stated(object, (struct stated){.bytes = bytes, .alignment = alignment},
                "free_aligned_sized");
}

EXPORT size_t malloc_usable_size(void *object)
{
    return object == NULL ? 0 : sg_pool_usable_bytes(object, "malloc_usable_size");
}

/* Here and not there: this file is in every program that links us statically. */
static __attribute__((constructor)) void at_load(void)
{
    sg_system_find();
}

/* The names under which glibc's own malloc can be called. */
#define ALIAS(original) EXPORT __attribute__((alias(#original)))
ALIAS(malloc) void *__libc_malloc(size_t bytes);
ALIAS(free) void __libc_free(void *object);
ALIAS(calloc) void *__libc_calloc(size_t count, size_t bytes_each);
ALIAS(realloc) void *__libc_realloc(void *object, size_t bytes);
