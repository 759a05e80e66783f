/* The questions of one bug, each asked once, and their answers. */
#ifndef SG_DEBUG_SYMBOLS_QUERY_H
#define SG_DEBUG_SYMBOLS_QUERY_H

#include "bug.h"

/* at, two events of two blocks, the realloc. */
#define SYMBOLS_STACKS (6 + BUG_LEAKS)
#define SYMBOLS_QUERIES (SYMBOLS_STACKS * BUG_FRAMES + 1)

/* Each character of a path may become three; numbers and words are short. */
#define SYMBOLS_REQUEST_BYTES (BUG_MODULES * (3 * 256 + 64) + SYMBOLS_QUERIES * 48)
#define SYMBOLS_REPLY_BYTES (512 * 1024) /* some hundred each; what goes beyond is not known */

struct symbols_query {
    uint64_t offset;
    uint16_t module;
    bool is_data;
    uint32_t answer; /* where in the reply its lines begin */
    uint32_t lines;  /* 0: not known */
};

/* Too large for a stack that a signal handler may run on. */
struct symbols_work {
    uint32_t query_count;
    struct symbols_query queries[SYMBOLS_QUERIES];
    struct bug_stack before;
    char request[SYMBOLS_REQUEST_BYTES];
    char reply[SYMBOLS_REPLY_BYTES];
    uint32_t reply_bytes;
};

/* Calls `visit` for each stack of the bug. */
HIDDEN void sg_symbols_each_stack(struct bug *bug, struct symbols_work *work,
                                  void (*visit)(struct bug *bug, struct symbols_work *work,
                                                struct bug_stack *stack));

/* NULL: was not asked. */
HIDDEN MUST_USE struct symbols_query *sg_symbols_query_of(struct symbols_work *work,
                                                          const struct bug_frame *frame);

/* Fills queries and request; returns the request's length, 0: there is nothing to ask. */
HIDDEN size_t sg_symbols_ask(struct bug *bug, struct symbols_work *work);

/* Puts what the reply says into the bug; false: it says nothing. */
HIDDEN bool sg_symbols_answer(struct bug *bug, struct symbols_work *work);

#endif
