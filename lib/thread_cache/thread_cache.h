/* Tier 1: free slots that one thread keeps, taken and given without a lock.
 *
 * A bin is an array of (slot, state byte), not a list through freed memory: nothing of ours lies
 * in user memory. The state of a slot is looked at again when it is handed out: a slot that two
 * threads freed at the same moment is found here.
 *
 * The first entries of a bin are its quarantine (after isoalloc's and hardened_malloc's, as a
 * random exchange): a freed slot takes a random place there, and only the slot that it drives
 * out can be handed out next. So no slot comes back right after its free, and nobody can foretell
 * when it does.
 *
 * pop and push are called while the cache is hidden, see thread_cache_hide(). */
#ifndef SG_THREAD_CACHE_THREAD_CACHE_H
#define SG_THREAD_CACHE_THREAD_CACHE_H

#include "batch.h"
#include "compiler.h"
#include "list.h"
#include "size_class.h"
#include "sync_point.h"

#define OVERFLOWS_MAX 7u

struct cache_bin {
    struct cache_entry *entries;
    _Atomic uint16_t count; /* written by the owner only; relaxed: others read it as a statistic */
    uint16_t capacity;      /* most entries; 0 for a class that this thread may not cache */
    uint8_t seen_count;     /* at the last look of the decay, its low byte */
    uint8_t floor;          /* a power of two or 0: so many of the oldest are in quarantine */
    uint8_t array_log2 : 4; /* of the entries that the array has room for */
    uint8_t overflows : 3;  /* since a miss last looked, at most OVERFLOWS_MAX */
    uint8_t has_missed : 1; /* was empty when asked, since an overflow last looked */
    uint8_t batch;          /* how many the next refill takes; doubles from few (slow start) */
};

struct thread_cache {
    struct cache_bin bins[CLASS_COUNT + 1]; /* that of CLASS_LARGE holds nothing, ever */
    struct list_node link;                  /* RANK_THREAD_REGISTRY */
    size_t capacity_bytes;                  /* of all bins, were they full */
    size_t leased_bytes;                    /* part of the bound over all threads */
    size_t decayed_bytes;                   /* capacity_bytes after the last look at all bins */
    uint32_t slow_events;
    uint32_t decay_class;
    uint32_t exit_rounds; /* how often the thread's destructors came by */
    uint64_t random;      /* which of the quarantine goes next */
    /* Bytes until the next guarded sample. Atomic, for sg_thread_cache_none is that of many threads
     * at once and counts for nothing; relaxed. */
    _Atomic int64_t sample_left;
};

/* NULL before the first call of a thread; sg_thread_cache_none where there can be no cache. */
extern HIDDEN THREAD_POINTER struct thread_cache *sg_thread_cache_self;

/* All bins empty and of no capacity: a thread that ends, or one that could not get a cache. */
extern HIDDEN struct thread_cache sg_thread_cache_none;

/* Whoever looks into a bin hides the cache for that time: a signal handler on this thread then
 * finds no cache and goes to the central one, so that it cannot see a bin half changed. If it finds
 * that locked by the very code it interrupted, the lock reports it (P802). Returns what to show. */
static ALWAYS_INLINE struct thread_cache *thread_cache_hide(void)
{
    struct thread_cache *hidden = sg_thread_cache_self;

    sg_thread_cache_self = &sg_thread_cache_none;
    atomic_signal_fence(memory_order_seq_cst);
    return hidden;
}

/* What is left for the next sample behind so many bytes; below 0: this is one. */
static ALWAYS_INLINE int64_t thread_cache_count_sample(struct thread_cache *cache, int64_t bytes)
{
    int64_t left = load_relaxed(&cache->sample_left) - bytes;

    store_relaxed(&cache->sample_left, left);
    return left;
}

static ALWAYS_INLINE void thread_cache_show(struct thread_cache *hidden)
{
    atomic_signal_fence(memory_order_seq_cst);
    sg_thread_cache_self = hidden;
}

/* A free slot of the class, now live and made by `maker`; NULL sends the caller the slow way. */
static inline void *thread_cache_pop(struct thread_cache *cache, size_t class, uint8_t maker)
{
    struct cache_bin *bin = &cache->bins[class];
    size_t count = load_relaxed(&bin->count);

    if (UNLIKELY(count == 0))
        return NULL;

    struct free_slot top;
    if (UNLIKELY(!entry_decode(&bin->entries[count - 1], &top)) ||
        UNLIKELY(load_relaxed(top.state) != SLOT_CACHED))
        return NULL; /* the slow way reports it */
    store_relaxed(&bin->count, (uint16_t)(count - 1));
    store_relaxed(top.state, maker);
    if (top.slot == NULL)
        __builtin_unreachable(); /* spares the caller a second test for NULL */
    return top.slot;
}

/* A slot on its way out: `state` is what it was, and still is until the caller stores another. */
struct taken_slot {
    void *slot;
    slot_state_byte *state_byte;
    uint8_t state;
};

/* Any free slot of the class that is not in quarantine; false sends the caller the slow way. The
 * caller makes it live: after it wrote what belongs into a live slot, so that nobody who finds it
 * live finds it half made. */
static inline bool thread_cache_take(struct thread_cache *cache, size_t class,
                                     struct taken_slot *ret_taken)
{
    struct cache_bin *bin = &cache->bins[class];
    size_t count = load_relaxed(&bin->count);
    struct free_slot top;

    if (UNLIKELY(count <= bin->floor))
        return false;
    if (UNLIKELY(!entry_decode(&bin->entries[count - 1], &top)))
        return false; /* the slow way reports it */
    uint8_t state = load_relaxed(top.state);
    if (UNLIKELY(!slot_state_is_cached(state)))
        return false; /* so here */
    store_relaxed(&bin->count, (uint16_t)(count - 1));
    *ret_taken = (struct taken_slot){top.slot, top.state, state};
    return true;
}

/* Takes a slot, proven live by the caller; false, with nothing changed, if the bin is full. */
static inline bool thread_cache_push(struct thread_cache *cache, size_t class, void *slot,
                                     slot_state_byte *state)
{
    struct cache_bin *bin = &cache->bins[class];
    size_t count = load_relaxed(&bin->count);

    if (UNLIKELY(count >= bin->capacity))
        return false;
    SYNC_POINT(SYNC_HANDOVER, state); /* the state was proven: another may come second here */
    store_relaxed(state, SLOT_CACHED);
    entry_encode(&bin->entries[count], slot, state);
    /* Release: a forked child that reclaims the caches of others finds the entry it counts. */
    atomic_store_explicit(&bin->count, (uint16_t)(count + 1), memory_order_release);
    return true;
}

/* A congruential generator with a multiplier short enough for one instruction; its high bits are
 * the good ones, and serve for which slot comes next. Of the thread's own cache only. */
static inline uint64_t thread_cache_random(struct thread_cache *cache)
{
    cache->random = cache->random * 0x5851f42d + 0x14057b7f;
    return cache->random;
}

/* The same with the quarantine: the slot goes to a random place among the oldest, and the one that
 * was there becomes the next to be handed out. Its state is stored by the caller. */
static inline bool thread_cache_quarantine(struct thread_cache *cache, size_t class,
                                           struct free_slot freed)
{
    struct cache_bin *bin = &cache->bins[class];
    size_t count = load_relaxed(&bin->count);
    size_t place = count;

    if (UNLIKELY(count >= bin->capacity))
        return false;
    if (count >= bin->floor && bin->floor != 0) {
        place = (thread_cache_random(cache) >> 40) & (bin->floor - 1u);
        entry_move(&bin->entries[count], &bin->entries[place]);
    }
    entry_encode(&bin->entries[place], freed.slot, freed.state);
    /* Release: as in push. */
    atomic_store_explicit(&bin->count, (uint16_t)(count + 1), memory_order_release);
    return true;
}

/* The slow ways. `cache` is the calling thread's own, never NULL. */

/* Refills the bin and takes one slot, as thread_cache_take() does; false: no memory. Ends the
 * process with a report if the bin holds a slot that is not free. */
HIDDEN bool sg_thread_cache_refill(struct thread_cache *cache, uint32_t class,
                                   struct taken_slot *ret_taken);

/* As thread_cache_quarantine(), but always succeeds: makes room by giving old ones back. */
HIDDEN void sg_thread_cache_overflow(struct thread_cache *cache, uint32_t class,
                                     struct free_slot freed);

/* Draws how many bytes there are to the next guarded sample. */
HIDDEN void sg_thread_cache_seed_sample(struct thread_cache *cache);

/* A block counts by its bytes, a long one as SAMPLE_WEIGHT_MAX: a guarded block costs microseconds,
 * which a program of long blocks would pay too often. */
#define SAMPLE_WEIGHT_MAX 512

static inline int64_t sample_weight(size_t bytes)
{
    return bytes < SAMPLE_WEIGHT_MAX ? (int64_t)bytes : SAMPLE_WEIGHT_MAX;
}

/* Gives everything back. */
HIDDEN void sg_thread_cache_drain(struct thread_cache *cache);

#endif
