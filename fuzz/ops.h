/* From bytes to calls on an allocator. Every string of bytes is a valid input; what is missing of
 * the header reads as zero, and a record that is cut short is left out.
 *
 *   header, 8 bytes    see tuning.h
 *   record, 4 bytes    op + 16 * variant, slot + 64 * size kind, size index, delta
 *
 * Slots are absolute: leaving a record out does not change what the others speak of. A record that
 * does not suit its slot is no call. Which records are calls follows from the bytes alone, so that
 * a run and the printed program (decode.c) agree without asking each other. */
#ifndef SG_FUZZ_OPS_H
#define SG_FUZZ_OPS_H

#include "compiler.h"
#include "tuning.h"
#include "units.h"

#define OPS_HEADER_BYTES TUNING_BYTES
#define OPS_RECORD_BYTES 4u
#define OPS_RECORDS_MAX 1024u
#define OPS_INPUT_BYTES_MAX (OPS_HEADER_BYTES + OPS_RECORDS_MAX * OPS_RECORD_BYTES)
#define OPS_SLOTS 64u

#define OPS_LIVE_BYTES_MAX (16 * MIB)     /* of all slots; a call that would exceed it is none */
#define OPS_POSSIBLE_BYTES_MAX (16 * MIB) /* larger ones here exceed any address space */
#define OPS_BURST_BYTES_MAX (1 * MIB)
#define OPS_BURST_BLOCKS_MAX 1024u

enum call_kind {
    CALL_MALLOC, /* by the interface `maker` */
    CALL_CALLOC,
    CALL_ALIGNED,
    CALL_REALLOC, /* of a block, to more than no bytes */
    CALL_FREE,
    CALL_FREE_STATED, /* as CALL_FREE, and says what was asked for */
    CALL_USABLE,      /* asks for all of the block, and fills that */
    CALL_VERIFY,
    CALL_TRIM,
    CALL_STATISTICS,
    CALL_BURST, /* makes `count` blocks and ends all of them, in some order */
};

enum burst_order { BURST_UPWARDS, BURST_DOWNWARDS, BURST_EVERY_SECOND, BURST_ORDER_COUNT };

struct call {
    enum call_kind kind;
    unsigned slot;
    size_t bytes;     /* FREE_STATED: as they were asked for; TRIM: to keep */
    size_t alignment; /* ALIGNED, and FREE_STATED of such a block; else 0 */
    uint8_t maker;    /* enum slot_state */
    uint8_t variant;  /* 0 to 3: which of the functions that do such a thing */
    bool must_fail;   /* no address space has so much */
    unsigned count;   /* BURST */
    enum burst_order order;
};

/* What a slot holds if every possible call succeeds. */
struct planned_block {
    size_t bytes;
    size_t alignment; /* 0: only that of malloc */
    uint8_t maker;    /* 0: the slot is empty */
};

struct plan {
    const uint8_t *next;
    const uint8_t *end;
    unsigned repeats_left; /* of the record in front of `next`, on slots one after the other */
    unsigned repeat_index;
    size_t live_bytes;
    struct planned_block blocks[OPS_SLOTS];
};

/* What lies behind the header, if it is all there. */
void plan_start(struct plan *plan, const uint8_t *data, size_t bytes);

/* The next call, or false at the end of the input. */
bool plan_next(struct plan *plan, struct call *ret_call);

#endif
