/* Guarded samples: now and then a small block is put alone against a page without access, and the
 * stacks that allocated and freed it are kept, so that what canaries find late is found at the
 * instruction that did it. After GWP-ASan (Serebryany and others, 2018).
 *
 * Records are numbered from 1. Thread-safe, without a lock: each belongs to one block. */
#ifndef SG_PAGE_CACHE_SAMPLE_H
#define SG_PAGE_CACHE_SAMPLE_H

#include "compiler.h"
#include "unwind.h"

struct sample {
    _Atomic bool is_used; /* acquire and release: hands the rest over */
    struct stack allocated;
    struct stack freed; /* count 0 while the block lives */
};

/* A record that knows the caller's stack, or 0: as many samples live as `sample_slots` allows. */
HIDDEN MUST_USE uint32_t sg_sample_begin(void);
HIDDEN void sg_sample_note_free(uint32_t number);
HIDDEN void sg_sample_end(uint32_t number);

/* NULL for number 0. */
HIDDEN const struct sample *sg_sample_of(uint32_t number);

#endif
