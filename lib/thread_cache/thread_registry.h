/* Birth, end and fork of thread caches, and the bound over all of them. */
#ifndef SG_THREAD_CACHE_THREAD_REGISTRY_H
#define SG_THREAD_CACHE_THREAD_REGISTRY_H

#include "compiler.h"
#include "thread_cache.h"

/* The cache of the calling thread, made if it has none; sg_thread_cache_none if that fails or the
 * thread is about to end. Never NULL. No lock may be held. */
HIDDEN struct thread_cache *sg_thread_cache_get(void);

/* The same for a thread that frees. Until it has freed some without ever having allocated it gets
 * none: libc frees the memory of ended threads in one that is ending, when no destructor would come
 * for the cache any more. */
HIDDEN struct thread_cache *sg_thread_cache_get_to_free(void);

/* The calling thread's cache ends; what it frees from now on goes straight to the central cache.
 * Called when the thread ends, and by harnesses that play this. */
HIDDEN void sg_thread_cache_retire(struct thread_cache *cache);

/* Once, when the library starts. */
HIDDEN void sg_thread_registry_start(void);

/* True if the caches of this thread may have a capacity of `capacity_bytes` in all; leases what is
 * missing from the bound over all threads. */
HIDDEN MUST_USE bool sg_thread_cache_lease(struct thread_cache *cache, size_t capacity_bytes);

/* Returns what was leased beyond the capacity that the cache has now. */
HIDDEN void sg_thread_cache_return_lease(struct thread_cache *cache);

/* Whether there was ever a second thread. */
HIDDEN bool sg_thread_registry_is_threaded(void);

struct thread_cache_statistics {
    size_t caches;
    size_t cached_slots[CLASS_COUNT]; /* as of some recent moment */
};

HIDDEN void sg_thread_registry_statistics(struct thread_cache_statistics *ret_statistics);

HIDDEN struct lock *sg_thread_registry_lock(void);

/* In a forked child: only the calling thread is left. What the others had cached is kept aside and
 * given back by sg_thread_registry_reclaim(); a child that soon calls exec pays nothing. */
HIDDEN void sg_thread_registry_after_fork(void);
HIDDEN void sg_thread_registry_reclaim(void);

#endif
