/* From a pointer of the program to a live block, or to a report. */
#ifndef SG_POOL_VERDICT_H
#define SG_POOL_VERDICT_H

#include "compiler.h"
#include "span.h"

struct block {
    struct span *span;
    slot_state_byte *state;
    uint8_t live_state; /* as it was read */
    size_t bytes;       /* what the program asked for, or what fits where that is not known */
};

/* The live block that starts at `object`. Anything else ends the process with the report that is
 * true of it. */
HIDDEN MUST_USE struct block sg_block_prove(const void *object, const char *function);

/* Ends the process unless a block in this state may be ended by the interface `maker`. */
HIDDEN void sg_block_require_maker(const struct block *block, uint8_t maker, const void *object,
                                   const char *function);

/* What the program asked for of the block at a slot's start, or the most that fits. */
HIDDEN size_t sg_block_bytes_at(const struct span *span, const void *slot);

HIDDEN _Noreturn void sg_block_report_size(const struct block *block, const void *object,
                                           size_t stated, const char *function);
HIDDEN _Noreturn void sg_block_report_alignment(const struct block *block, const void *object,
                                                size_t stated, const char *function);
HIDDEN _Noreturn void sg_block_report_double_free(const struct block *block, const void *object,
                                                  const char *function);

#endif
