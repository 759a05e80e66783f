/* What is known of each block, out of line: no overflow reaches it. One record for each live or
 * quarantined block, and for as long as nobody needs its place, for blocks that are gone.
 *
 * Found by the exact start of a block: a radix tree over 16-byte steps of address space, with
 * lock-free look-up, safe on any value. */
#ifndef SG_DEBUG_RECORD_H
#define SG_DEBUG_RECORD_H

#include "compiler.h"
#include "depot.h"

enum record_state {
    RECORD_NONE = 0, /* describes nothing */
    RECORD_LIVE,
    RECORD_BUSY,  /* a thread is freeing or resizing it */
    RECORD_FREED, /* in quarantine: nobody else has its memory */
    RECORD_GONE,  /* its memory went back, and may be another block's */
};

struct record {
    _Atomic uintptr_t start; /* address of the block; 0: none */
    size_t bytes;            /* as asked for */
    uintptr_t raw;           /* start of the raw block around it, of the pool below */
    uint32_t raw_bytes_front; /* bytes in front of the block that are ours */
    uint32_t raw_bytes_behind;
    uint64_t made_time;  /* os_ticks() */
    uint64_t ended_time; /* of the free */
    uint64_t sequence;   /* of the allocation, from 1 */
    uint64_t frees;      /* count of all frees when it was freed */
    stack_id made_stack;
    stack_id ended_stack;
    uint16_t made_thread;
    uint16_t ended_thread;
    _Atomic uint8_t state; /* enum record_state */
    uint8_t maker;         /* enum slot_state: the live state of who made it */
    uint8_t ender;         /* index into the names of functions, see debug_names.h */
    uint8_t flags;
    uint32_t moved_to; /* number of the record of the block that realloc moved it to; 0: freed */
    uint32_t number;   /* of this record, constant */
    struct record *_Atomic next; /* in quarantine or among those that wait for reuse */
};

/* The record of the block that starts exactly there, in any state but NONE; NULL if there is none.
 */
HIDDEN MUST_USE struct record *sg_record_find(uintptr_t start);

/* The record whose block, or the bytes of ours around it, holds the address: live or freed first,
 * else gone. For reports: slow. */
HIDDEN MUST_USE struct record *sg_record_around(uintptr_t address);

HIDDEN struct record *sg_record_of(uint32_t number);

/* Calls `visit` for each record that is LIVE, BUSY or FREED when its turn comes. Takes no lock:
 * for leak checks with all threads stopped, and for sweeps, where `visit` claims what it reads. */
HIDDEN void sg_record_each(void (*visit)(struct record *record, void *context), void *context);

/* Takes a record for a block at `start` and makes it findable, in state BUSY; NULL: no memory. */
HIDDEN MUST_USE struct record *sg_record_create(uintptr_t start);

/* For a record whose block's memory went back: it stays findable until its place is needed. */
HIDDEN void sg_record_retire(struct record *record);

HIDDEN size_t sg_record_bytes(void);

#endif
