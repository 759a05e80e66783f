/* What the files of the central cache share; nobody else includes it. */
#ifndef SG_CENTRAL_CACHE_CENTRAL_STATE_H
#define SG_CENTRAL_CACHE_CENTRAL_STATE_H

#include "batch.h"
#include "os_lock.h"
#include "random.h"
#include "size_class.h"
#include "span.h"

#define FULLNESS_LISTS 4u
#define TRANSFER_BATCHES 4u
#ifdef SG_LABORATORY
#define TRANSFER_TAKES_MIN 4u /* inputs are short */
#else
#define TRANSFER_TAKES_MIN 32u
#endif

/* span->slots.mark of a CENTRAL span, besides the index of its list. */
#define MARK_UNLISTED 254u /* no free slot */
#define MARK_SWEPT 255u    /* out of the lists while its free pages go back */
#define MARK_GIVEN_UP 253u /* of no list any more: in quarantine, or on its way out */

/* States of slots are read eight at a time. */
#define WORD_SLOTS 8u

struct central_list {
    alignas(CACHE_LINE_BYTES) struct lock lock; /* RANK_CENTRAL_LIST; guards all of this */
    uint32_t transfer_count;
    _Atomic bool is_used; /* relaxed: becomes true once; a late look only costs time */
    bool is_sweeping;     /* the lock is let go in between; one at a time */
    uint8_t gives_in_row; /* since the last take: nobody asks for what comes back */
    uint8_t takes;        /* up to TRANSFER_TAKES_MIN: what is seldom asked for is not kept */
    struct cache_entry *transfer;                  /* TRANSFER_BATCHES batches, or NULL */
    struct list_node *by_fullness[FULLNESS_LISTS]; /* [0]: the fullest with a free slot */
    struct list_node *spare; /* spans without access that only this class may use again */
    uint32_t spans;
    uint32_t regretted; /* slots asked for again soon after a sweep took their memory */
    size_t free_slots;
    size_t unswept;      /* slots that came back since the last sweep, less those taken again */
    size_t sweep_credit; /* slots that may be free beyond the rule, see central_sweep.c */
    uint64_t last_sweep_ms;
    struct random random;
};

static_assert(sizeof(struct central_list) <= (size_t)2 * CACHE_LINE_BYTES,
              "209 of them are touched early");

extern HIDDEN struct central_list sg_central[CLASS_COUNT];

/* Puts the span into the list that fits its free slots, or into none. Under the lock. */
HIDDEN void sg_central_relist(struct central_list *list, struct span *span);
HIDDEN void sg_central_unlist(struct central_list *list, struct span *span);

/* Ends the process with a report unless all slots of the span are free, as their count says. A slot
 * that a thread frees once more after another's free came as far as here is counted twice. */
HIDDEN void sg_central_require_empty(const struct span *span);

/* A span of the class with all slots free, in no list; without the lock. NULL: no memory. */
HIDDEN MUST_USE struct span *sg_central_span_create(uint32_t class);

/* Behind the states of a span: bit i says that its i-th OS page holds what others left there, and
 * is to be cleared before the first slot of it is handed out. Under the lock of the list. */
static inline uint64_t *central_raw_pages(const struct span *span)
{
    size_t states = (sg_size_classes[span->slots.class].slot_count + WORD_SLOTS - 1) & ~7u;

    return (uint64_t *)((uintptr_t)span->slots.states + states);
}

/* Of a span of the class, without the guard behind it. */
HIDDEN size_t sg_central_body_bytes(uint32_t class);

/* A chain (through link.next) of spans without a live slot goes to the page cache; without the
 * lock. Returns the first span that could not go, chained with the rest, or NULL. */
HIDDEN void sg_central_spans_release(struct span *chain);

/* Under the lock, released and taken again inside: gives OS pages back that are free inside spans
 * of the class. Returns `empty`, a chain, with the spans in front that became empty meanwhile. */
HIDDEN struct span *sg_central_sweep(struct central_list *list, uint32_t class, struct span *empty);

/* Under the lock: whether enough slots came back for a sweep to be worth its time. */
HIDDEN bool sg_central_sweep_is_due(const struct central_list *list, uint32_t class);

/* Under the lock: a slot is handed out whose memory a sweep gave back. */
HIDDEN void sg_central_note_regret(struct central_list *list);

/* Moves up to `wanted` free slots of the span to `entries`, as CACHED; returns how many. */
HIDDEN uint32_t sg_central_carve(struct central_list *list, struct span *span,
                                 struct cache_entry *entries, uint32_t wanted);

#endif
