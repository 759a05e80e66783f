/* What is known of each block, out of line: no overflow reaches it. One record for each live or
 * quarantined block, and for as long as nobody needs its place, for blocks that are gone.
 *
 * Found by the exact start of a block: a radix tree over 16-byte steps of address space (4 KiB in
 * the profile guard), with lock-free look-up, safe on any value. */
#ifndef SG_DEBUG_RECORD_H
#define SG_DEBUG_RECORD_H

#include "compiler.h"
#include "depot.h"
#include "os_lock.h"

enum record_state {
    RECORD_NONE = 0, /* describes nothing */
    RECORD_LIVE,
    RECORD_BUSY,  /* a thread is making, freeing, resizing or checking it */
    RECORD_FREED, /* in quarantine: nobody else has its memory */
    RECORD_GONE,  /* its memory went back, and may be another block's */
};

/* One line of the processor's cache. */
struct record {
    _Atomic uintptr_t start; /* address of the block; 0: none. A multiple of 16, but in the profile
                                guard with guard_exact */
    uint64_t bytes : 48;     /* as asked for */
    uint64_t made_thread : 16;
    uint64_t made_time : 48; /* debug_time() */
    uint64_t ended_thread : 16;
    uint64_t ended_time : 48;
    uint64_t behind_bytes : 16; /* behind it that are ours and watched */
    uint64_t sequence : 44;     /* of the allocation, from 1 */
    uint64_t maker : 4;         /* enum slot_state: the live state of who made it */
    uint64_t made_by : 8;       /* what the program called: see record_name.h */
    uint64_t ended_by : 8;      /* 0: it did not end */
    uint32_t ended_count;       /* of all frees when it was freed, modulo 2^32 */
    stack_id made_stack;
    stack_id ended_stack;
    uint32_t moved_to;         /* ended by realloc: number of the record of the new block; else 0 */
    uint32_t number;           /* of this record, constant, from 1 */
    uint32_t front_bytes : 24; /* in front of the block that are ours; the raw block begins there */
    _Atomic uint8_t state;     /* enum record_state */
};

#define RECORD_BYTES_MAX (((uint64_t)1 << 48) - 1)
#define RECORD_SEQUENCE_MAX (((uint64_t)1 << 44) - 1)
#define RECORD_TIME_MAX (((uint64_t)1 << 48) - 1)
#define RECORD_FRONT_MAX ((1u << 24) - 1)
#define RECORD_BEHIND_MAX ((1u << 16) - 1)

static_assert(sizeof(struct record) == CACHE_LINE_BYTES, "each free touches some");

/* The record of the block that starts exactly there, in any state but NONE; NULL if there is none.
 */
HIDDEN MUST_USE struct record *sg_record_find(uintptr_t start);

/* What sg_record_find() would look at now, or NULL; asked for, and nothing waits until it is there.
 * Safe on any value. Only one that is found to be LIVE and to start there is of any use. */
HIDDEN MUST_USE struct record *sg_record_soon(uintptr_t start);

/* The record whose block, or the bytes of ours around it, holds the address, or that is next to it:
 * live or freed first, else gone. For reports: slow. */
HIDDEN MUST_USE struct record *sg_record_around(uintptr_t address);

/* Where the number of the record is that starts in the step around `address`; NULL: none ever
 * did there. */
HIDDEN MUST_USE _Atomic uint32_t *sg_record_step(uintptr_t address);

/* NULL for 0, or a number that was never given. */
HIDDEN MUST_USE struct record *sg_record_of(uint32_t number);

/* Calls `visit` for each record that is LIVE, BUSY or FREED when its turn comes. Takes no lock:
 * for leak checks with all threads stopped, and for sweeps, where `visit` claims what it reads. */
HIDDEN void sg_record_each(void (*visit)(struct record *record, void *context), void *context);

/* Takes a record for a block at `start` and makes it findable, in state BUSY; NULL: no memory. All
 * else in it is of another block. Thread-safe. */
HIDDEN MUST_USE struct record *sg_record_create(uintptr_t start);

/* For records in state GONE, whose blocks' memory went back: they stay findable until their places
 * are needed. Records that were never used may be among them. */
HIDDEN void sg_record_retire(struct record *const *records, uint32_t count);

HIDDEN size_t sg_record_bytes(void);
HIDDEN struct lock *sg_record_lock(void); /* RANK_DEBUG_RECORD */

/* Forgets which records wait and which memory is left for the tree; for a child whose parent was
 * changing that when it forked. */
HIDDEN void sg_record_abandon(void);

/* Takes the right to change the record; false: its state was not `from`. Acquire and release. */
static inline bool record_claim(struct record *record, uint8_t from)
{
    return atomic_compare_exchange_strong_explicit(&record->state, &from, RECORD_BUSY,
                                                   memory_order_acquire, memory_order_relaxed);
}

/* Release: who claims it next sees what was written. */
static inline void record_become(struct record *record, uint8_t state)
{
    atomic_store_explicit(&record->state, state, memory_order_release);
}

#endif
