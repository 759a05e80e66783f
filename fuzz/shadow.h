/* What a correct heap holds, and the proof that the one under test holds the same: no two live
 * blocks overlap; each is aligned, as large as asked for, and keeps its contents; calloc's are
 * zero. Knows addresses and sizes, no tier. A broken promise ends the process and says which. */
#ifndef SG_FUZZ_SHADOW_H
#define SG_FUZZ_SHADOW_H

#include "ops.h"

struct shadow_block {
    char *address; /* NULL: the slot is empty */
    size_t bytes;  /* as asked for */
    size_t usable_bytes;
    size_t filled_bytes; /* that hold the pattern */
    uint64_t key;        /* of the pattern: slot and generation */
    uint8_t maker;
};

struct shadow {
    struct shadow_block blocks[OPS_SLOTS];
    uint64_t generation;
    bool is_dense; /* long blocks are looked at in full, not only around their pages' starts */
};

/* What the allocator answered. */
struct answer {
    void *address;
    size_t usable_bytes;
};

void shadow_start(struct shadow *shadow, bool is_dense);

/* For messages: the number of the call that is under way. */
void shadow_note_call(unsigned number);

/* Ends the process: `oracle` names the promise that was broken. */
_Noreturn void shadow_fail(const char *oracle, unsigned slot);

/* A block is born: its promises are tested, and it gets its pattern. */
void shadow_give(struct shadow *shadow, const struct call *call, struct answer answer);

/* Before a block may move: the end of what must survive is given a pattern too. */
void shadow_prepare_move(struct shadow *shadow, const struct call *call);

/* The block was resized, and perhaps moved. */
void shadow_move(struct shadow *shadow, const struct call *call, struct answer answer);

/* All of what is usable gets a pattern. */
void shadow_fill_usable(struct shadow *shadow, unsigned slot);

/* The contents are tested and the block forgotten; before it is freed. Returns its address. */
void *shadow_take(struct shadow *shadow, unsigned slot);

void shadow_verify(const struct shadow *shadow, unsigned slot);

#endif
