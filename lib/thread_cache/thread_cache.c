#include "thread_cache.h"

#include "bits.h"
#include "central_list.h"
#include "invariant.h"
#include "metadata.h"
#include "object_pool.h"
#include "report.h"
#include "thread_registry.h"

#define BIN_BYTES_MAX (4 * MIB) /* what one bin may hold at most */
#define BIN_SLOTS_MAX 2047u
#define BIN_SLOTS_MIN 2u
#define ARRAY_LOG2_MIN 3u
#define ARRAY_LOG2_MAX 11u
#define FIRST_BATCH 4u
#define FIRST_BATCH_BYTES 1024u
#define RARE_BYTES_MIN (4 * KIB) /* a size above this is cached from the RARE_TIMESth time on */
#define RARE_TIMES 4u

THREAD_POINTER struct thread_cache *sg_thread_cache_self;
COLD_ZEROES struct thread_cache sg_thread_cache_none;

static_assert(sizeof(struct cache_entry) << ARRAY_LOG2_MAX == METADATA_BLOCK_BYTES &&
                  BIN_SLOTS_MAX <= 1u << ARRAY_LOG2_MAX,
              "the longest array is a chunk");

static uint32_t slot_bytes_of(uint32_t class)
{
    return sg_size_classes[class].slot_bytes;
}

static uint32_t capacity_max(uint32_t class)
{
    uint32_t slots = (uint32_t)(BIN_BYTES_MAX / slot_bytes_of(class));

    if (slots > BIN_SLOTS_MAX)
        return BIN_SLOTS_MAX;
    return slots < BIN_SLOTS_MIN ? BIN_SLOTS_MIN : slots;
}

static size_t array_bytes(uint32_t array_log2)
{
    return sizeof(struct cache_entry) << array_log2;
}

/* The longest arrays are chunks of their own. */
static struct cache_entry *array_take(uint32_t array_log2)
{
    if (array_bytes(array_log2) <= OBJECT_POOL_MAX_BYTES)
        return sg_object_pool_take(array_bytes(array_log2));
    return sg_metadata_take(METADATA_BLOCK);
}

static void array_give(struct cache_entry *entries, uint32_t array_log2)
{
    if (array_bytes(array_log2) <= OBJECT_POOL_MAX_BYTES)
        sg_object_pool_give(entries, array_bytes(array_log2));
    else
        sg_metadata_give(METADATA_BLOCK, entries);
}

/* Room for `capacity` entries in the array; false if there is no memory for it. */
static bool ensure_array(struct cache_bin *bin, uint32_t capacity)
{
    uint32_t wanted_log2 = log2_ceil(capacity);
    struct cache_entry *old = bin->entries;
    uint32_t old_log2 = bin->array_log2;

    if (wanted_log2 < ARRAY_LOG2_MIN)
        wanted_log2 = ARRAY_LOG2_MIN;
    if (old != NULL && wanted_log2 <= old_log2)
        return true;

    struct cache_entry *added = array_take(wanted_log2);
    if (added == NULL)
        return false;
    if (old != NULL)
        __builtin_memcpy(added, old, load_relaxed(&bin->count) * sizeof(*old));
    bin->entries = added;
    bin->array_log2 = wanted_log2 & 0x3f;
    if (old != NULL)
        array_give(old, old_log2);
    return true;
}

/* Gives the oldest entries back until `keep` are left. */
static void flush_to(struct cache_bin *bin, uint32_t class, uint32_t keep)
{
    uint32_t count = load_relaxed(&bin->count);

    while (count > keep) {
        struct cache_entry batch[BATCH_MAX_SLOTS];
        uint32_t moved = count - keep < BATCH_MAX_SLOTS ? count - keep : BATCH_MAX_SLOTS;

        __builtin_memcpy(batch, bin->entries, moved * sizeof(batch[0]));
        __builtin_memmove(bin->entries, bin->entries + moved, (count - moved) * sizeof(batch[0]));
        count -= moved;
        store_relaxed(&bin->count, (uint16_t)count);
        sg_central_give(class, batch, moved);
    }
}

/* Lowers the capacity, and with it what counts against the bounds. */
static void shrink_bin(struct thread_cache *cache, uint32_t class, uint32_t capacity)
{
    struct cache_bin *bin = &cache->bins[class];

    if (capacity >= bin->capacity)
        return;
    flush_to(bin, class, capacity);
    cache->capacity_bytes -= (size_t)(bin->capacity - capacity) * slot_bytes_of(class);
    bin->capacity = (uint16_t)capacity;
}

/* Takes capacity from the bins of other classes, in turn, until `bytes` more would fit. */
static void steal_from_others(struct thread_cache *cache, uint32_t class, size_t bytes)
{
    for (uint32_t i = 0; i < CLASS_COUNT; i++) {
        if (cache->capacity_bytes + bytes <= cache->leased_bytes)
            return;
        cache->decay_class = (cache->decay_class + 1) % CLASS_COUNT;
        if (cache->decay_class != class)
            shrink_bin(cache, cache->decay_class, 0);
    }
}

/* Raises the capacity as far as the bounds allow, at most to `wanted`. */
static void grow_bin(struct thread_cache *cache, uint32_t class, uint32_t wanted)
{
    struct cache_bin *bin = &cache->bins[class];
    uint32_t limit = capacity_max(class);

    if (wanted > limit)
        wanted = limit;
    if (wanted <= bin->capacity)
        return;

    size_t bytes = (size_t)(wanted - bin->capacity) * slot_bytes_of(class);
    if (!sg_thread_cache_lease(cache, cache->capacity_bytes + bytes)) {
        steal_from_others(cache, class, bytes);
        if (cache->capacity_bytes + bytes > cache->leased_bytes)
            return;
    }
    if (!ensure_array(bin, wanted))
        return;
    bin->capacity = (uint16_t)wanted;
    cache->capacity_bytes += bytes;
}

#define DECAY_PERIOD 32u /* slow events from one look to the next */
#define DECAY_CLASSES 32u

/* Bins that did not change since the last look give half of what they hold back: a thread that
 * went on to other work does not keep its old sizes for ever. */
static void decay(struct thread_cache *cache, uint32_t class)
{
    if (++cache->slow_events % DECAY_PERIOD != 0)
        return;
    for (uint32_t i = 0; i < DECAY_CLASSES; i++) {
        uint32_t other = cache->decay_class = (cache->decay_class + 1) % CLASS_COUNT;
        struct cache_bin *bin = &cache->bins[other];
        uint32_t count = load_relaxed(&bin->count);

        if (other != class && count > 0 && count == bin->seen_count) {
            shrink_bin(cache, other, count / 2);
            bin->batch = 0;
        }
        bin->seen_count = (uint16_t)load_relaxed(&bin->count);
    }
    sg_thread_cache_return_lease(cache);
}

static _Noreturn void report_top(const struct cache_bin *bin, uint32_t class)
{
    const struct cache_entry *entry = &bin->entries[load_relaxed(&bin->count) - 1];
    struct misuse misuse = {
        .kind = MISUSE_CACHED_SLOT,
        .function = "malloc",
        .block = (uintptr_t)entry->slot,
        .block_bytes = size_class_usable_bytes(class),
        .class = class,
        .state = load_relaxed(entry->state),
    };

    sg_report_misuse(&misuse);
}

static void *take_one(uint32_t class, uint8_t maker, bool *ret_zeroed)
{
    struct cache_entry entry;

    if (sg_central_take(class, &entry, 1) == 0)
        return NULL;
    *ret_zeroed = load_relaxed(entry.state) == SLOT_CACHED_ZERO;
    store_relaxed(entry.state, maker);
    return entry.slot;
}

/* How many the next refill takes: few at first, twice as many each time. */
static uint32_t next_batch(struct cache_bin *bin, uint32_t class)
{
    uint32_t limit = sg_size_classes[class].batch;
    uint32_t batch = bin->batch;

    if (batch == 0)
        batch = slot_bytes_of(class) * FIRST_BATCH <= FIRST_BATCH_BYTES ? FIRST_BATCH : 1;
    if (batch > limit)
        batch = limit;
    bin->batch = (uint8_t)(batch * 2 < limit ? batch * 2 : limit);
    return batch;
}

/* A bin that is in turn too small to serve and too small to take back doubles each time. One that
 * only takes back does not grow, and soon keeps nothing: a program that frees all it has does not
 * want slots to stay here, each holding the span around it. */
static void adapt_to_overflow(struct thread_cache *cache, uint32_t class)
{
    struct cache_bin *bin = &cache->bins[class];
    bool in_turn = bin->has_missed;

    bin->has_overflowed = true;
    bin->has_missed = false;
    if (bin->capacity == 0 && slot_bytes_of(class) <= RARE_BYTES_MIN)
        grow_bin(cache, class, BIN_SLOTS_MIN);
    else if (in_turn)
        grow_bin(cache, class, bin->capacity * 2u);
    if (load_relaxed(&bin->count) >= bin->capacity)
        flush_to(bin, class, in_turn ? bin->capacity / 2 : 0);
}

static void adapt_to_miss(struct thread_cache *cache, uint32_t class)
{
    struct cache_bin *bin = &cache->bins[class];

    bin->has_missed = true;
    if (bin->has_overflowed)
        grow_bin(cache, class, bin->capacity * 2u);
    bin->has_overflowed = false;
}

/* Whether to leave a size uncached for now: one that was asked for a few times only would keep
 * its span from others. The batch counts the times until there is one. */
static bool is_rare(struct cache_bin *bin, uint32_t class)
{
    return bin->capacity == 0 && slot_bytes_of(class) > RARE_BYTES_MIN && bin->batch++ < RARE_TIMES;
}

static void *refill(struct thread_cache *cache, uint32_t class, uint8_t maker, bool *ret_zeroed)
{
    struct cache_bin *bin = &cache->bins[class];

    /* A signal handler may have filled the bin just now; else it holds what is not free. */
    void *slot = thread_cache_pop_any(cache, class, maker, ret_zeroed);
    if (slot != NULL)
        return slot;
    if (load_relaxed(&bin->count) != 0)
        report_top(bin, class);
    decay(cache, class);

    adapt_to_miss(cache, class);
    if (is_rare(bin, class))
        return take_one(class, maker, ret_zeroed);

    uint32_t wanted = next_batch(bin, class);
    grow_bin(cache, class, wanted);
    if (bin->capacity < wanted)
        wanted = bin->capacity;
    if (wanted == 0)
        return take_one(class, maker, ret_zeroed);

    uint32_t count = sg_central_take(class, bin->entries, wanted);
    if (count == 0)
        return NULL;
    store_relaxed(&bin->count, (uint16_t)count);
    return thread_cache_pop_any(cache, class, maker, ret_zeroed);
}

void *sg_thread_cache_refill(struct thread_cache *cache, uint32_t class, uint8_t maker,
                             bool *ret_zeroed)
{
    if (cache == &sg_thread_cache_none)
        return take_one(class, maker, ret_zeroed);

    struct thread_cache *hidden = thread_cache_hide();
    void *slot = refill(cache, class, maker, ret_zeroed);
    thread_cache_show(hidden);
    return slot;
}

void sg_thread_cache_overflow(struct thread_cache *cache, uint32_t class, void *slot,
                              slot_state_byte *state)
{
    struct cache_entry entry = {slot, state};
    bool pushed = false;

    if (cache != &sg_thread_cache_none) {
        struct thread_cache *hidden = thread_cache_hide();

        decay(cache, class);
        adapt_to_overflow(cache, class);
        pushed = thread_cache_push(cache, class, slot, state);
        thread_cache_show(hidden);
    }
    if (pushed)
        return;
    store_relaxed(state, SLOT_CACHED);
    sg_central_give(class, &entry, 1);
}

void sg_thread_cache_drain(struct thread_cache *cache)
{
    struct thread_cache *hidden = thread_cache_hide();

    for (uint32_t class = 0; class < CLASS_COUNT; class ++) {
        struct cache_bin *bin = &cache->bins[class];
        struct cache_entry *entries = bin->entries;

        shrink_bin(cache, class, 0);
        bin->entries = NULL;
        bin->batch = 0;
        if (entries != NULL)
            array_give(entries, bin->array_log2);
    }
    sg_thread_cache_return_lease(cache);
    thread_cache_show(hidden);
}
