/* The two paths that nearly every call takes. Everything rare - the first call of a thread, an
 * empty or full bin, a large request, a failed proof - leaves by a branch to the pool. */
#ifndef SG_POOL_FAST_PATH_H
#define SG_POOL_FAST_PATH_H

#include "compiler.h"
#include "debug_build.h"
#include "page_map.h"
#include "span.h"
#include "thread_cache.h"

/* A block of `bytes`, or NULL for the slow way. */
static ALWAYS_INLINE void *fast_allocate(size_t bytes, uint8_t maker)
{
    struct thread_cache *cache = sg_thread_cache_self;

    if (SG_DEBUG_HEAP || UNLIKELY(bytes > CLASS_DIRECT_MAX_BYTES || cache == NULL))
        return NULL;
    thread_cache_hide();
    void *object = thread_cache_pop(cache, size_class_direct(bytes), maker);
    thread_cache_show(cache);
    return object;
}

/* Proves and takes a block of `maker`, and of `class` unless that is CLASS_ANY; false, with nothing
 * changed, for the slow way. Until the state byte is read, `object` is only a number that the
 * program gave us. */
#define CLASS_ANY SIZE_MAX

static ALWAYS_INLINE bool fast_free_of_class(void *object, uint8_t maker, size_t class)
{
    struct thread_cache *cache = sg_thread_cache_self;
    struct span *span = page_map_lookup_near((uintptr_t)object);

    if (SG_DEBUG_HEAP || UNLIKELY(span == NULL || cache == NULL))
        return false;

    uint64_t index = slot_index(&span->slots, object);
    if (UNLIKELY(index >= span->slots.slot_count))
        return false;
    if (class != CLASS_ANY && UNLIKELY(span->slots.class != class))
        return false;

    slot_state_byte *state = &span->slots.states[index];
    if (UNLIKELY(load_relaxed(state) != maker))
        return false;
    thread_cache_hide();
    bool pushed = thread_cache_push(cache, span->slots.class, object, state);
    thread_cache_show(cache);
    return pushed;
}

static ALWAYS_INLINE bool fast_free(void *object, uint8_t maker)
{
    return fast_free_of_class(object, maker, CLASS_ANY);
}

/* The caller also states what it asked for. */
static ALWAYS_INLINE bool fast_free_sized(void *object, size_t bytes, uint8_t maker)
{
    if (UNLIKELY(bytes > SMALL_MAX_BYTES))
        return false;
    return fast_free_of_class(object, maker, size_class_of(bytes));
}

#endif
