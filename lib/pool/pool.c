#include "pool.h"

#include "pool_end.h"

#include "bits.h"
#include "central_list.h"
#include "checked_slot.h"
#include "guarded_pool.h"
#include "large.h"
#include "lifecycle.h"
#include "page_cache.h"
#include "page_map.h"
#include "policy.h"
#include "sample.h"
#include "system_pool.h"
#include "thread_registry.h"
#include "typed.h"
#include "verdict.h"

static inline struct thread_cache *own_cache(void)
{
    if (LIKELY(sg_thread_cache_self != NULL))
        return sg_thread_cache_self;
    lifecycle_start();
    return policy_is_uncached() ? &sg_thread_cache_none : sg_thread_cache_get();
}

static inline struct thread_cache *own_cache_to_free(void)
{
    if (LIKELY(sg_thread_cache_self != NULL) || policy_is_uncached())
        return own_cache();
    return sg_thread_cache_get_to_free();
}

static void empty_caches(void)
{
    struct thread_cache *cache = own_cache();

    if (cache != &sg_thread_cache_none)
        sg_thread_cache_drain(cache);
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        sg_central_trim(class);
    sg_central_quarantine_drain();
    sg_large_quarantine_drain();
    sg_typed_trim();
}

/* Memory that this thread could do without goes back before a request fails, and free runs of both
 * kinds become one. True, so that it can stand in a condition: the request is worth another try. */
static bool reclaim(void)
{
    empty_caches();
    sg_page_cache_trim(0);
    return true;
}

static bool take_small(uint32_t class, struct taken_slot *ret_taken)
{
    struct thread_cache *cache = own_cache();
    struct thread_cache *hidden = thread_cache_hide();
    bool taken = thread_cache_take(cache, class, ret_taken);

    thread_cache_show(hidden);
    return taken || sg_thread_cache_refill(cache, class, ret_taken) ||
           (reclaim() && sg_thread_cache_refill(cache, class, ret_taken));
}

static void *allocate_small(uint32_t class, size_t bytes, uint8_t maker, bool *ret_zeroed)
{
    struct taken_slot taken;

    if (UNLIKELY(!take_small(class, &taken)))
        return NULL;
    slot_open(&taken, class, bytes);
    *ret_zeroed = slot_is_known_zero(class, taken.state);
    store_relaxed(taken.state_byte, maker);
    return taken.slot;
}

static void *allocate_large(struct large_request request, bool *ret_zeroed)
{
    if (request.bytes > MAX_OBJECT_BYTES || request.alignment > MAX_OBJECT_BYTES)
        return NULL;

    void *object = sg_large_take(request, ret_zeroed);
    if (UNLIKELY(object == NULL) && reclaim())
        object = sg_large_take(request, ret_zeroed);
    return object;
}

#define SAMPLE_BYTES_MAX (64 * KIB)

/* Another pool serves; or the bytes until the next sample are used up. These count in this thread's
 * slow calls, and with the checked path in all, some of them twice. */
static bool is_served_apart(size_t bytes)
{
    struct thread_cache *cache = own_cache();

    if (cache == &sg_thread_cache_none)
        return policy_is_uncached();
    if (bytes == 0 || bytes > SAMPLE_BYTES_MAX)
        return false;
    if (load_relaxed(&cache->sample_left) >= 0) {
        (void)thread_cache_count_sample(cache, sample_weight(bytes));
        return false;
    }
    sg_thread_cache_seed_sample(cache);
    return true;
}

/* NULL: as many samples as may live at a time, or no memory. */
static NOINLINE void *allocate_sample(size_t bytes, uint8_t maker, bool *ret_zeroed)
{
    struct large_request request = {
        .bytes = bytes, .alignment = 1, .maker = maker, .at_the_end = true};

    request.sample = sg_sample_begin();
    if (request.sample == 0)
        return NULL;
    void *object = sg_large_take(request, ret_zeroed);
    if (object == NULL)
        sg_sample_end(request.sample);
    return object;
}

/* NULL: no memory. */
static void *allocate_guarded(struct large_request request, bool *ret_zeroed)
{
    request = sg_guarded_request(request);
    void *object = allocate_large(request, ret_zeroed);

    if (object == NULL)
        sg_sample_end(request.sample);
    return object;
}

/* By three tiers. */
static inline void *allocate_here(size_t bytes, uint8_t maker, bool *ret_zeroed)
{
    uint32_t class = policy_class_of(bytes);

    if (class != CLASS_LARGE)
        return allocate_small(class, bytes, maker, ret_zeroed);
    struct large_request request = {.bytes = bytes, .alignment = 1, .maker = maker};
    return allocate_large(request, ret_zeroed);
}

static COLD void *allocate_apart(size_t bytes, uint8_t maker, bool *ret_zeroed)
{
    struct large_request request = {.bytes = bytes, .alignment = 1, .maker = maker};

    if (system_pool_serves())
        return sg_system_pool.call.allocate(bytes);
    if (sg_guarded_serves(bytes, 1))
        return allocate_guarded(request, ret_zeroed);

    void *object = policy_is_uncached() ? NULL : allocate_sample(bytes, maker, ret_zeroed);
    return object != NULL ? object : allocate_here(bytes, maker, ret_zeroed);
}

static void *allocate(size_t bytes, uint8_t maker, bool *ret_zeroed)
{
    lifecycle_start(); /* the policy, before the class is chosen */
    if (UNLIKELY(is_served_apart(bytes)))
        return allocate_apart(bytes, maker, ret_zeroed);
    return allocate_here(bytes, maker, ret_zeroed);
}

void *sg_pool_allocate(size_t bytes, uint8_t maker)
{
    bool zeroed;

    return allocate(bytes, maker, &zeroed);
}

void *sg_pool_allocate_zeroed(size_t bytes)
{
    bool zeroed = false;

    if (system_pool_serves())
        return sg_system_pool.call.allocate_zeroed(1, bytes);
    void *object = allocate(bytes, SLOT_LIVE_MALLOC, &zeroed);

    if (object != NULL && !zeroed)
        __builtin_memset(object, 0, bytes);
    return object;
}

bool sg_pool_is_partition(unsigned number)
{
    return number < TYPED_PARTITIONS;
}

static void *allocate_typed(size_t bytes, uint32_t partition, bool *ret_zeroed)
{
    lifecycle_start();
    void *object = sg_typed_allocate(bytes, partition, ret_zeroed);
    if (UNLIKELY(object == NULL) && reclaim())
        object = sg_typed_allocate(bytes, partition, ret_zeroed);
    return object;
}

void *sg_pool_allocate_typed(size_t bytes, uint32_t partition)
{
    bool zeroed;

    if (partition == 0 || system_pool_serves())
        return sg_pool_allocate(bytes, SLOT_LIVE_MALLOC);
    return allocate_typed(bytes, partition, &zeroed);
}

void *sg_pool_allocate_typed_zeroed(size_t bytes, uint32_t partition)
{
    bool zeroed = false;

    if (partition == 0 || system_pool_serves())
        return sg_pool_allocate_zeroed(bytes);
    void *object = allocate_typed(bytes, partition, &zeroed);
    if (object != NULL && !zeroed)
        __builtin_memset(object, 0, bytes);
    return object;
}

void *sg_pool_allocate_aligned(size_t alignment, size_t bytes, uint8_t maker)
{
    struct large_request request = {.bytes = bytes, .alignment = alignment, .maker = maker};
    bool zeroed;

    lifecycle_start();
    if (system_pool_serves())
        return sg_system_pool.call.allocate_aligned(alignment, bytes);
    if (sg_guarded_serves(bytes, alignment))
        return allocate_guarded(request, &zeroed);
    uint32_t class = policy_class_aligned(bytes, alignment);
    if (class != CLASS_LARGE)
        return allocate_small(class, bytes, maker, &zeroed);
    return allocate_large(request, &zeroed);
}

void sg_pool_claim(const struct block *block, const void *object, const char *function)
{
    if (!sg_large_claim(block->span, block->live_state))
        sg_block_report_double_free(block, object, function);
}

void sg_pool_end_claimed(const struct block *block, void *object, const char *function)
{
    if (block->live_state == SLOT_LIVE_TYPED)
        sg_typed_free(block, object, function);
    else
        sg_large_give(block->span);
}

void sg_pool_end(const struct block *block, void *object, const char *function)
{
    uint32_t class = block->span->slots.class;

    if (class == CLASS_LARGE)
        sg_pool_claim(block, object, function);
    if (block->live_state == SLOT_LIVE_TYPED || class == CLASS_LARGE) {
        sg_pool_end_claimed(block, object, function);
        return;
    }

    struct thread_cache *cache = own_cache_to_free();
    struct free_slot freed = {object, block->state};
    /* Release: who finds the canary gone must find the state changed, see checked_slot.h. */
    store_relaxed(block->state, SLOT_CACHED);
    atomic_thread_fence(memory_order_release);
    store_relaxed(block->state, slot_clear(cache, object, class));

    struct thread_cache *hidden = thread_cache_hide();
    bool kept = thread_cache_quarantine(cache, class, freed);
    thread_cache_show(hidden);
    if (!kept)
        sg_thread_cache_overflow(cache, class, freed);
}

void sg_pool_free(void *object, uint8_t maker, const char *function)
{
    if (object == NULL)
        return;
    if (system_pool_has(object)) {
        sg_system_pool.call.end(object);
        return;
    }

    struct block block = sg_block_prove(object, function);
    sg_block_require_maker(&block, maker, object, function);
    sg_pool_end(&block, object, function);
}

/* Without canaries the class is all that is known of a small block. */
static bool class_is_true(const struct block *block, struct stated stated)
{
    uint32_t class = block->span->slots.class;
    uint32_t stated_class = policy_class_of(stated.bytes);

    if (stated_class == class)
        return true;
    if (block->live_state == SLOT_LIVE_SHRUNK || block->live_state == SLOT_LIVE_TYPED)
        return stated_class < class;
    /* An aligned request may have got a larger class. */
    return stated.alignment != 0 && policy_class_aligned(stated.bytes, stated.alignment) == class;
}

static bool size_is_true(const struct block *block, struct stated stated)
{
    if (policy_knows_bytes(block->span->slots.class))
        return stated.bytes == block->bytes;
    return class_is_true(block, stated);
}

void sg_pool_free_stated(void *object, struct stated stated, uint8_t maker, const char *function)
{
    if (object == NULL)
        return;
    if (system_pool_has(object)) {
        sg_system_pool.call.end(object);
        return;
    }

    struct block block = sg_block_prove(object, function);
    sg_block_require_maker(&block, maker, object, function);
    if (stated.alignment != 0 && ((uintptr_t)object & (stated.alignment - 1)) != 0)
        sg_block_report_alignment(&block, object, stated.alignment, function);
    if (!stated.without_bytes && !size_is_true(&block, stated))
        sg_block_report_size(&block, object, stated.bytes, function);
    sg_pool_end(&block, object, function);
}

size_t sg_pool_usable_bytes(void *object, const char *function)
{
    if (system_pool_has(object))
        return sg_system_pool.call.usable_bytes(object);
    return sg_block_prove(object, function).bytes;
}

bool sg_pool_trim(size_t keep_bytes)
{
    bool trimmed = system_pool_serves() && sg_system_pool.call.trim != NULL &&
                   sg_system_pool.call.trim(keep_bytes) != 0;

    empty_caches();
    sg_thread_registry_reclaim();
    return sg_page_cache_trim(keep_bytes) > 0 || trimmed;
}
