#include "thread_cache.h"

#include "bits.h"
#include "central_list.h"
#include "invariant.h"
#include "metadata.h"
#include "object_pool.h"
#include "policy.h"
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
#define FIRST_FLOOR 8u /* most slots in quarantine as soon as a class is cached */
#define FIRST_FLOOR_BYTES (4 * KIB)
#define DRAIN_CAPACITY 32u /* of a bin that only takes back: half of it quarantine, if any */

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

    slots += sg_class_policy[class].quarantine_slots;
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
        for (uint32_t i = 0; i < load_relaxed(&bin->count); i++)
            entry_move(&added[i], &old[i]);
    bin->entries = added;
    bin->array_log2 = wanted_log2 & 0xf;
    if (old != NULL)
        array_give(old, old_log2);
    return true;
}

/* The entries [from, from + count), `count` up to BATCH_MAX_SLOTS, go to the central cache. */
static void flush_range(struct cache_bin *bin, uint32_t class, uint32_t from, uint32_t count)
{
    struct cache_entry batch[BATCH_MAX_SLOTS];
    uint32_t all = load_relaxed(&bin->count);

    for (uint32_t i = 0; i < count; i++)
        entry_move(&batch[i], &bin->entries[from + i]);
    for (uint32_t i = from + count; i < all; i++)
        entry_move(&bin->entries[i - count], &bin->entries[i]);
    store_relaxed(&bin->count, (uint16_t)(all - count));
    sg_central_give(class, batch, count);
}

/* Gives entries back until `keep` are left: the quarantine last, of the others the oldest first. */
static void flush_to(struct cache_bin *bin, uint32_t class, uint32_t keep)
{
    uint32_t count = load_relaxed(&bin->count);

    while (count > keep) {
        uint32_t surplus = count - keep;
        uint32_t moved = surplus < BATCH_MAX_SLOTS ? surplus : BATCH_MAX_SLOTS;
        uint32_t from = bin->floor < count - moved ? bin->floor : count - moved;

        flush_range(bin, class, from, moved);
        count -= moved;
    }
}

/* What of `capacity` entries is quarantine: at most half. */
static uint8_t floor_of(uint32_t class, uint32_t capacity)
{
    uint32_t most = sg_class_policy[class].quarantine_slots;

    if (capacity < 2 || most == 0)
        return 0;
    uint32_t half = 1u << log2_floor(capacity / 2);
    return (uint8_t)(half < most ? half : most);
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
    bin->floor = floor_of(class, capacity);
}

#define STEAL_CLASSES 16u /* at most, so that a full cache costs each of its overflows little */

/* Takes capacity from the bins of other classes, in turn, until `bytes` more would fit. */
static void steal_from_others(struct thread_cache *cache, uint32_t class, size_t bytes)
{
    for (uint32_t i = 0; i < STEAL_CLASSES; i++) {
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
    bin->floor = floor_of(class, wanted);
    cache->capacity_bytes += bytes;
}

#define DECAY_PERIOD 32u /* slow events from one look at some bins to the next */
#define DECAY_CLASSES 32u
#define DECAY_BYTES (32 * KIB) /* of capacity, from one look at all bins to the next */

/* Bins that did not change since the last look give half of what they hold back: a thread that
 * went on to other work does not keep its old sizes for ever. */
static void decay_next(struct thread_cache *cache, uint32_t class)
{
    uint32_t other = cache->decay_class = (cache->decay_class + 1) % CLASS_COUNT;
    struct cache_bin *bin = &cache->bins[other];
    uint32_t count = load_relaxed(&bin->count);

    if (other != class && count > 0 && (uint8_t)count == bin->seen_count) {
        shrink_bin(cache, other, count / 2);
        bin->batch = 0;
    }
    bin->seen_count = (uint8_t)load_relaxed(&bin->count);
}

/* From time to time a part, and all of them when the cache has grown: a string that grows passes
 * through every size and leaves a few slots in each. */
static void decay(struct thread_cache *cache, uint32_t class)
{
    bool has_grown = cache->capacity_bytes > cache->decayed_bytes + DECAY_BYTES;
    uint32_t classes = has_grown ? CLASS_COUNT : DECAY_CLASSES;

    if (++cache->slow_events % DECAY_PERIOD != 0 && !has_grown)
        return;
    for (uint32_t i = 0; i < classes; i++)
        decay_next(cache, class);
    if (has_grown || cache->capacity_bytes < cache->decayed_bytes)
        cache->decayed_bytes = cache->capacity_bytes;
    sg_thread_cache_return_lease(cache);
}

static _Noreturn void report_top(const struct cache_bin *bin, uint32_t class)
{
    struct free_slot top;
    bool decodes = entry_decode(&bin->entries[load_relaxed(&bin->count) - 1], &top);

    sg_central_report(class, decodes ? &top : NULL, "malloc");
}

static bool take_one(uint32_t class, struct taken_slot *ret_taken)
{
    struct cache_entry entry;
    struct free_slot taken;

    if (sg_central_take(class, &entry, 1) == 0)
        return false;
    (void)entry_decode(&entry, &taken); /* encoded just now, on this stack */
    *ret_taken = (struct taken_slot){taken.slot, taken.state, load_relaxed(taken.state)};
    return true;
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

/* The quarantine of a new bin: chance needs some to choose from. */
static uint32_t first_floor(uint32_t class)
{
    uint32_t most = sg_class_policy[class].quarantine_slots;

    if (slot_bytes_of(class) > RARE_BYTES_MIN)
        return 1;
    return most < FIRST_FLOOR ? most : FIRST_FLOOR;
}

/* One overflow in 64 of a row without a miss: a program that fills and drains in turn seldom gets
 * there, one that frees millions surely does. */
static bool is_long_drain(struct thread_cache *cache, const struct cache_bin *bin)
{
    return bin->overflows == OVERFLOWS_MAX && thread_cache_random(cache) >> 58 == 0;
}

/* A bin that is in turn too small to serve and too small to take back doubles each time. One that
 * only takes back does not grow, and soon keeps nothing but its quarantine: a program that frees
 * all it has does not want slots to stay here, each holding the span around it. */
static void adapt_to_overflow(struct thread_cache *cache, uint32_t class)
{
    struct cache_bin *bin = &cache->bins[class];
    bool in_turn = bin->has_missed;
    bool caches_at_once = slot_bytes_of(class) <= RARE_BYTES_MIN ||
                          sg_class_policy[class].quarantine_slots > 0;

    if (bin->overflows < OVERFLOWS_MAX)
        bin->overflows = (bin->overflows + 1u) & OVERFLOWS_MAX;
    bin->has_missed = false;
    if (bin->capacity == 0 && caches_at_once) {
        grow_bin(cache, class, first_floor(class) * 2);
        grow_bin(cache, class, BIN_SLOTS_MIN); /* if the bounds do not allow more */
    } else if (in_turn)
        grow_bin(cache, class, bin->capacity * 2u);
    if (bin->capacity > DRAIN_CAPACITY && is_long_drain(cache, bin))
        shrink_bin(cache, class,
                   bin->capacity / 2 > DRAIN_CAPACITY ? bin->capacity / 2 : DRAIN_CAPACITY);
    if (load_relaxed(&bin->count) >= bin->capacity)
        flush_to(bin, class, in_turn ? (bin->capacity + bin->floor) / 2 : bin->floor);
}

static void adapt_to_miss(struct thread_cache *cache, uint32_t class)
{
    struct cache_bin *bin = &cache->bins[class];

    bin->has_missed = true;
    if (bin->overflows > 0)
        grow_bin(cache, class, bin->capacity * 2u);
    bin->overflows = 0;
}

/* Whether to leave a size uncached for now: one that was asked for a few times only would keep
 * its span from others. The batch counts the times until there is one. */
static bool is_rare(struct cache_bin *bin, uint32_t class)
{
    return bin->capacity == 0 && slot_bytes_of(class) > RARE_BYTES_MIN && bin->batch++ < RARE_TIMES;
}

/* Room in the bin for `wanted` slots above its quarantine; returns how many there are to fill, the
 * places of the quarantine that are empty included. */
static uint32_t make_room(struct thread_cache *cache, uint32_t class, uint32_t wanted)
{
    struct cache_bin *bin = &cache->bins[class];
    uint32_t count = load_relaxed(&bin->count);

    uint32_t floor = floor_of(class, wanted * 2);

    if (floor < first_floor(class))
        floor = first_floor(class);
    grow_bin(cache, class, wanted + floor > 2 * floor ? wanted + floor : 2 * floor);
    uint32_t room = count < bin->capacity ? bin->capacity - count : 0;
    uint32_t missing = count < bin->floor ? bin->floor - count : 0;
    return wanted + missing < room ? wanted + missing : room;
}

static bool refill(struct thread_cache *cache, uint32_t class, struct taken_slot *ret_taken)
{
    struct cache_bin *bin = &cache->bins[class];

    /* A signal handler may have filled the bin just now; else it holds what is not free. */
    if (thread_cache_take(cache, class, ret_taken))
        return true;
    if (load_relaxed(&bin->count) > bin->floor)
        report_top(bin, class);
    decay(cache, class);

    adapt_to_miss(cache, class);
    if (is_rare(bin, class))
        return take_one(class, ret_taken);

    uint32_t wanted = make_room(cache, class, next_batch(bin, class));
    uint32_t count = load_relaxed(&bin->count);
    if (count + wanted <= bin->floor)
        return take_one(class, ret_taken);
    count += sg_central_take(class, bin->entries + count, wanted);
    store_relaxed(&bin->count, (uint16_t)count);
    return thread_cache_take(cache, class, ret_taken) || take_one(class, ret_taken);
}

bool sg_thread_cache_refill(struct thread_cache *cache, uint32_t class,
                            struct taken_slot *ret_taken)
{
    if (cache == &sg_thread_cache_none)
        return take_one(class, ret_taken);

    struct thread_cache *hidden = thread_cache_hide();
    bool taken = refill(cache, class, ret_taken);
    thread_cache_show(hidden);
    return taken;
}

void sg_thread_cache_overflow(struct thread_cache *cache, uint32_t class, struct free_slot freed)
{
    struct cache_entry entry;
    bool kept = false;

    if (cache != &sg_thread_cache_none) {
        struct thread_cache *hidden = thread_cache_hide();

        decay(cache, class);
        adapt_to_overflow(cache, class);
        kept = thread_cache_quarantine(cache, class, freed);
        thread_cache_show(hidden);
    }
    if (kept)
        return;
    entry_encode(&entry, freed.slot, freed.state);
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
