#include "thread_registry.h"

#include "bits.h"
#include "central_list.h"
#include "object_pool.h"
#include "options.h"
#include "os_lock.h"
#include "os_thread.h"
#include "policy.h"
#include "secrets.h"
#include "sync_point.h"

#define FREE_LEASE_BYTES ((size_t)2048) /* what each thread may cache besides the common bound */
#define LEASE_STEP_BYTES (32 * KIB)

/* glibc calls thread-specific destructors in up to four rounds. Ours is not over with the first,
 * in which those of others allocate and free. It does not wait for the last one either: a thread
 * that comes to us for the first time in a destructor has missed rounds, and would never get there.
 * In the rounds that are left it goes without a cache. */
#if defined(__SANITIZE_THREAD__)
#define EXIT_ROUNDS 1u /* ThreadSanitizer ends its own state in the last round */
#else
#define EXIT_ROUNDS 2u
#endif

static struct {
    struct lock lock; /* RANK_THREAD_REGISTRY; guards the lists and `count` */
    struct list_node *caches;
    struct list_node *orphans; /* of threads that a fork left behind */
    size_t count;
    _Atomic bool is_threaded;      /* relaxed: becomes true once, and a late look costs time */
    _Atomic uint64_t leased_bytes; /* relaxed: a sum, it orders nothing */
} registry;

struct lock *sg_thread_registry_lock(void)
{
    return &registry.lock;
}

bool sg_thread_registry_is_threaded(void)
{
    return load_relaxed(&registry.is_threaded);
}

static void lock(void)
{
    lock_acquire(&registry.lock, RANK_THREAD_REGISTRY);
}

static void unlock(void)
{
    lock_release(&registry.lock, RANK_THREAD_REGISTRY);
}

static void enter(struct thread_cache *cache)
{
    lock();
    list_push(&registry.caches, &cache->link);
    SYNC_POINT(SYNC_HANDOVER, cache);
    bool is_second = ++registry.count > 1 && !load_relaxed(&registry.is_threaded);
    if (is_second)
        store_relaxed(&registry.is_threaded, true);
    unlock();
    if (is_second)
        sg_os_process_mark(); /* from now on a child of _Fork may find locks held by nobody */
}

static void leave(struct thread_cache *cache)
{
    lock();
    list_unlink(&registry.caches, &cache->link);
    registry.count--;
    unlock();
}

/* What stands for a thread that has no cache yet, in the place of it: odd, as no cache is. */
#define COUNT_BITS 8

static uintptr_t count_word(uint32_t thread, uintptr_t count)
{
    return (uintptr_t)thread << COUNT_BITS | count << 1 | 1;
}

static bool is_count(const void *value)
{
    return ((uintptr_t)value & 1) != 0;
}

void sg_thread_cache_return_lease(struct thread_cache *cache)
{
    size_t needed = FREE_LEASE_BYTES;

    if (cache->capacity_bytes > needed)
        needed += align_up(cache->capacity_bytes - needed, LEASE_STEP_BYTES);
    if (needed >= cache->leased_bytes)
        return;
    atomic_fetch_sub_explicit(&registry.leased_bytes, cache->leased_bytes - needed,
                              memory_order_relaxed);
    cache->leased_bytes = needed;
}

bool sg_thread_cache_lease(struct thread_cache *cache, size_t capacity_bytes)
{
    uint64_t bound = sg_options.thread_caches_bytes;

    if (capacity_bytes <= cache->leased_bytes)
        return true;
    if (capacity_bytes > sg_options.thread_cache_bytes)
        return false;

    SYNC_POINT(SYNC_READ, &registry.leased_bytes);
    size_t missing = align_up(capacity_bytes - cache->leased_bytes, LEASE_STEP_BYTES);
    uint64_t before =
        atomic_fetch_add_explicit(&registry.leased_bytes, missing, memory_order_relaxed);
    if (before + missing > bound) {
        atomic_fetch_sub_explicit(&registry.leased_bytes, missing, memory_order_relaxed);
        return false;
    }
    cache->leased_bytes += missing;
    return true;
}

void sg_thread_cache_retire(struct thread_cache *cache)
{
    sg_thread_cache_self = &sg_thread_cache_none;
    leave(cache);
    SYNC_POINT(SYNC_HANDOVER, cache);
    sg_thread_cache_drain(cache);
    if (SG_DEBUG_CHECKS)
        __builtin_memset(cache, 0xdd, sizeof(*cache)); /* who still looks there shall notice */
    sg_object_pool_give(cache, sizeof(*cache));
}

static void at_thread_exit(void *value)
{
    struct thread_cache *cache = value;

    if (is_count(value))
        return;
    if (++cache->exit_rounds < EXIT_ROUNDS && sg_os_thread_exit_arm(cache))
        return;
    sg_thread_cache_retire(cache);
}

void sg_thread_registry_start(void)
{
    (void)sg_os_thread_exit_start(at_thread_exit); /* else threads go without a cache, see below */
}

/* Uniform around the mean: nobody can foretell which block is guarded. */
void sg_thread_cache_seed_sample(struct thread_cache *cache)
{
    uint64_t mean = sg_policy.sample_bytes;

    int64_t left = INT64_MAX;
    if (mean > 0)
        left = (int64_t)((thread_cache_random(cache) >> 24) % (2 * mean - 1)) - 1;
    store_relaxed(&cache->sample_left, left);
}

/* Where a cache lies is random, so each gets a generator of its own. */
static void seed(struct thread_cache *cache)
{
    struct random random = sg_secrets_random(SECRETS_CACHE + (uintptr_t)cache);

    cache->random = random_next(&random);
    sg_thread_cache_seed_sample(cache);
}

struct thread_cache *sg_thread_cache_get(void)
{
    struct thread_cache *cache = sg_thread_cache_self;

    if (cache != NULL)
        return cache;
    sg_thread_cache_self = &sg_thread_cache_none; /* for a signal handler, until there is one */
    cache = sg_object_pool_take(sizeof(*cache));
    if (cache == NULL) {
        sg_thread_cache_self = NULL; /* the next call tries again */
        return &sg_thread_cache_none;
    }
    __builtin_memset(cache, 0, sizeof(*cache));
    cache->leased_bytes = FREE_LEASE_BYTES;
    seed(cache);
    sg_thread_cache_self = cache; /* before arming, which may allocate */
    enter(cache);
    /* A cache that nobody would drain is a leak for each thread: better none. The first thread's
     * lives as long as the process. */
    if (!sg_os_thread_exit_arm(cache) && sg_thread_registry_is_threaded())
        sg_thread_cache_retire(cache);
    return sg_thread_cache_self;
}

/* How many frees a thread has that did not allocate yet, before it gets a cache for them. */
#define FREES_WITHOUT_CACHE 64u
static_assert(FREES_WITHOUT_CACHE << 1 < 1u << COUNT_BITS, "it fits");

/* False: it had as many, or they cannot be counted. The value may be one of a thread that lay here
 * before, and freed behind its last destructor. */
static bool count_free(void)
{
    uint32_t thread = sg_os_thread_number();
    uintptr_t word = (uintptr_t)sg_os_thread_exit_value();
    bool is_own = word >> COUNT_BITS == thread;
    uintptr_t count = is_own ? (word & ((1u << COUNT_BITS) - 1)) >> 1 : 0;

    return count < FREES_WITHOUT_CACHE &&
           sg_os_thread_exit_arm((void *)count_word(thread, count + 1));
}

struct thread_cache *sg_thread_cache_get_to_free(void)
{
    if (sg_thread_cache_self != NULL)
        return sg_thread_cache_self;
    sg_thread_cache_self = &sg_thread_cache_none; /* arming may allocate */
    bool is_counted = count_free();
    sg_thread_cache_self = NULL;
    return is_counted ? &sg_thread_cache_none : sg_thread_cache_get();
}

void sg_thread_registry_statistics(struct thread_cache_statistics *ret_statistics)
{
    __builtin_memset(ret_statistics, 0, sizeof(*ret_statistics));
    lock();
    for (struct list_node *node = registry.caches; node != NULL; node = node->next) {
        struct thread_cache *cache = container_of(node, struct thread_cache, link);

        SYNC_POINT(SYNC_READ, cache);
        ret_statistics->caches++;
        for (uint32_t class = 0; class < CLASS_COUNT; class ++)
            ret_statistics->cached_slots[class] += load_relaxed(&cache->bins[class].count);
    }
    unlock();
}

/* The fork may come from a signal handler that interrupted us, or from within a slow path. */
static struct thread_cache *own_even_if_hidden(void)
{
    if (sg_thread_cache_self != &sg_thread_cache_none)
        return sg_thread_cache_self;
    void *value = sg_os_thread_exit_value();
    return is_count(value) ? NULL : value;
}

void sg_thread_registry_after_fork(void)
{
    struct thread_cache *self = own_even_if_hidden();
    struct list_node *node = registry.caches;

    registry.caches = NULL;
    registry.count = 0;
    while (node != NULL) {
        struct list_node *next = node->next;
        bool is_self = self != NULL && node == &self->link;

        list_push(is_self ? &registry.caches : &registry.orphans, node);
        registry.count += is_self;
        node = next;
    }
    store_relaxed(&registry.leased_bytes, self == NULL ? 0 : self->leased_bytes - FREE_LEASE_BYTES);
}

/* The thread was stopped anywhere, perhaps inside pop or push: only slots whose state says so are
 * free. The arrays stay behind; at most a few KiB for each such thread. */
static void reclaim_bin(const struct cache_bin *bin, uint32_t class)
{
    uint32_t count = load_relaxed(&bin->count);

    for (uint32_t i = 0; bin->entries != NULL && i < count; i++) {
        struct free_slot free_slot;

        if (entry_decode(&bin->entries[i], &free_slot) &&
            slot_state_is_cached(load_relaxed(free_slot.state)))
            sg_central_give(class, &bin->entries[i], 1);
    }
}

void sg_thread_registry_reclaim(void)
{
    lock();
    struct list_node *node = registry.orphans;
    registry.orphans = NULL;
    unlock();
    while (node != NULL) {
        struct thread_cache *cache = container_of(node, struct thread_cache, link);

        node = node->next;
        for (uint32_t class = 0; class < CLASS_COUNT; class ++)
            reclaim_bin(&cache->bins[class], class);
        sg_object_pool_give(cache, sizeof(*cache));
    }
}
