/* Spans that were given up and wait: nothing is built on their addresses until chance drives them
 * out, so that a stale pointer meets the freed span and not a new owner's. Bounded by count and by
 * bytes. Slots have a quarantine of their own, see thread_cache.h.
 *
 * Thread-safe; one lock each, taken with no other held. */
#ifndef SG_PAGE_CACHE_SPAN_QUARANTINE_H
#define SG_PAGE_CACHE_SPAN_QUARANTINE_H

#include "os_lock.h"
#include "random.h"
#include "span.h"

#define SPAN_QUARANTINE_MAX 256u

struct span_quarantine {
    struct lock lock; /* RANK_SPAN_QUARANTINE; guards all of this */
    uint32_t count;
    size_t pages;
    struct random random;
    struct span *few[SPAN_QUARANTINE_MAX];
    struct span **many; /* instead of those, or NULL */
    uint32_t room;      /* of `many` */
};

/* Emptied spans of slots, which keep their memory; large objects, which have none; and a few that
 * have, without access all the same. */
extern HIDDEN struct span_quarantine sg_quarantine_central;
extern HIDDEN struct span_quarantine sg_quarantine_large;
extern HIDDEN struct span_quarantine sg_quarantine_kept;

/* Makes room for `spans`, before the first is put; without memory there is as much as before. */
HIDDEN void sg_span_quarantine_widen(struct span_quarantine *quarantine, uint32_t spans);

/* False: there is no room or (unless `always`) no quarantine; the span stays the caller's. */
HIDDEN MUST_USE bool sg_span_quarantine_put(struct span_quarantine *quarantine, struct span *span,
                                            bool always);

/* A span by chance if more than `spans` or `bytes` are held, else NULL; asked until then. */
HIDDEN MUST_USE struct span *sg_span_quarantine_evict(struct span_quarantine *quarantine,
                                                      uint32_t spans, size_t bytes);

/* In a forked child whose parent was changing it: what it held is lost. */
HIDDEN void sg_span_quarantine_abandon(struct span_quarantine *quarantine);

#endif
