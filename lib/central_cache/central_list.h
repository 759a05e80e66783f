/* Tier 2: for each size class the spans that have free slots, and a few batches on their way
 * from one thread to another.
 *
 * A slot that comes in is proven again: its span, its class, its boundary, its state. That is
 * where two frees of one slot at the same moment are told apart. A span whose last slot comes back
 * goes to the page cache; whole OS pages that are free inside spans with survivors give their
 * memory back (central_sweep.c).
 *
 * Thread-safe; one lock for each class. */
#ifndef SG_CENTRAL_CACHE_CENTRAL_LIST_H
#define SG_CENTRAL_CACHE_CENTRAL_LIST_H

#include "batch.h"
#include "compiler.h"
#include "size_class.h"
#include "span.h"

/* Fills `entries` with up to `wanted` free slots, in state CACHED; returns how many. Fewer than
 * wanted, or 0, means that the kernel has no more memory. */
HIDDEN uint32_t sg_central_take(uint32_t class, struct cache_entry *entries, uint32_t wanted);

/* Takes `count` slots in state CACHED back. A slot that is not what its entry says ends the
 * process with a report. */
HIDDEN void sg_central_give(uint32_t class, const struct cache_entry *entries, uint32_t count);

/* Ends the process: a slot that waited in a cache is not free, or (NULL) the entry that should tell
 * of one is damaged. `function`: what found it. */
HIDDEN _Noreturn void sg_central_report(uint32_t class, const struct free_slot *free_slot,
                                        const char *function);

/* Puts batches in transfer back into their spans, and gives all memory back that is free inside
 * spans. */
HIDDEN void sg_central_trim(uint32_t class);

/* Empties the quarantine of spans. */
HIDDEN void sg_central_quarantine_drain(void);

struct central_statistics {
    size_t span_bytes;
    size_t carved_slots;   /* in all spans of the class */
    size_t free_slots;     /* in spans */
    size_t transfer_slots; /* free, in batches */
};

HIDDEN void sg_central_statistics(uint32_t class, struct central_statistics *ret_statistics);

HIDDEN struct lock *sg_central_lock(uint32_t class);

/* Whether the class was ever used, as far as this thread can know. */
HIDDEN bool sg_central_is_used(uint32_t class);

/* In a forked child, with the lock free: the thread that swept is not there to end it. The spans it
 * had taken out stay out; their slots are lost to this child once freed. */
HIDDEN void sg_central_after_fork(uint32_t class);

/* Builds the lists of a class anew from what its spans say; for a child whose parent was changing
 * them when it forked. begin, then add for each CENTRAL span of the class. */
HIDDEN void sg_central_rebuild_begin(uint32_t class);
HIDDEN void sg_central_rebuild_add(struct span *span);

/* Debug build: stops unless the spans of the class keep their invariants. */
HIDDEN void sg_central_check(uint32_t class);

#endif
