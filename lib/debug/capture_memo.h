/* The last walks of one thread: what they depended on, and the number of the stack they gave.
 *
 * A walk is a function of its first registers, of the words that it reads, and of the tables of the
 * modules that it meets (unwind_trace.h). If the registers are the same and each word is, where the
 * walk remembered read it, then by induction over its steps a walk now reads the same words at the
 * same places and gives the same frames. Only walks are kept of which nothing else counted.
 *
 * Of the modules only a number is looked at that each dlclose() changes. What libc unloads itself,
 * as of gconv, passes by: another module would have to lie there and to call malloc from the very
 * same addresses for its callers to be told wrongly. A look at each was a tenth of a capture. */
#ifndef SG_DEBUG_CAPTURE_MEMO_H
#define SG_DEBUG_CAPTURE_MEMO_H

#include "depot.h"
#include "unwind_trace.h"

#define MEMO_SETS 64u
#define MEMO_WAYS 4u
#define MEMO_READS_MAX 48u /* walks that read more are not kept */
#define MEMO_STRIDE 4u     /* so many are compared at once */
static_assert(MEMO_READS_MAX % MEMO_STRIDE == 0, "there is room to round up");

struct memo_entry {
    uintptr_t stack; /* the registers at the start; 0: no entry */
    uintptr_t pc;
    uintptr_t frame;
    uintptr_t rbx;
    stack_id id;
    uint32_t depth;
    bool needs_frame;
    bool needs_rbx;
    uint32_t read_count;            /* a multiple of MEMO_STRIDE */
    uint16_t words[MEMO_READS_MAX]; /* where: from `stack` on */
    uintptr_t values[MEMO_READS_MAX];
};

struct memo {
    struct memo_entry entries[MEMO_SETS][MEMO_WAYS];
    uint8_t next_way[MEMO_SETS];
    uint64_t generation; /* of modules, see sg_unwind_forget() */
};

/* 0: none. The caller made sure that the stack is readable from where `start` says up to where it
 * was for the walks that were kept. */
HIDDEN MUST_USE stack_id sg_memo_find(struct memo *memo, const struct registers *start,
                                      uint32_t depth);

struct memo_fact {
    const struct registers *start;
    const struct trace *trace;
    uint32_t depth;
    stack_id id;
};

HIDDEN void sg_memo_keep(struct memo *memo, const struct memo_fact *fact);
HIDDEN void sg_memo_forget(struct memo *memo);

#endif
