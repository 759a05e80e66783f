/* Calls of many threads on one set of slots. Any thread may act on any slot: so blocks change
 * hands. A slot is taken for the time of an action; who finds it taken, empty or full leaves it.
 *
 *   record, 4 bytes    op + 16 * thread, slot + 64 * size kind, size index, delta */
#ifndef SG_FUZZ_THREADS_ACTIONS_H
#define SG_FUZZ_THREADS_ACTIONS_H

#include "ops.h"
#include "shadow.h"

#define ACTION_BYTES 4u

enum action_op {
    ACTION_MALLOC,
    ACTION_MALLOC_AGAIN, /* the usual is more frequent, and no code is wasted */
    ACTION_CALLOC,
    ACTION_ALIGNED,
    ACTION_REALLOC, /* to a size of the record */
    ACTION_RESIZE,  /* to a size near the block's own */
    ACTION_FREE,
    ACTION_FREE_AGAIN,
    ACTION_FREE_STATED,
    ACTION_BURST,
    ACTION_REPLACE, /* free, and malloc at once */
    ACTION_VERIFY,
    ACTION_STATISTICS,
    ACTION_TRIM,
    ACTION_EXIT,
    ACTION_FREEZE /* what fork does to the locks, in the parent */
};

struct action {
    enum action_op op;
    unsigned thread;
    unsigned slot;
    size_t bytes;
    uint8_t delta;
};

struct action action_of(const uint8_t *record);

/* The model of all slots is one, so that blocks that overlap are seen; or each slot has its own,
 * so that threads that run freely share nothing but what they hand over. */
void actions_start(bool is_shared, bool is_dense);

/* ACTION_EXIT is the caller's. */
void actions_perform(const struct action *action);

/* The calling thread's cache ends, as at the thread's end. */
void actions_retire(void);

/* Frees (0 bytes) or resizes the block of the slot and tells nobody: by several threads a misuse. */
void actions_misuse(unsigned slot, size_t bytes);

/* All blocks are freed by the calling thread; nobody else acts. */
void actions_end(void);

/* All blocks; while no thread acts. */
const struct shadow *actions_shadow(void);

#endif
