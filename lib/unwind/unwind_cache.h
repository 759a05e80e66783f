/* What the tables said, for the addresses asked last: nearly all frames of nearly all walks. */
#ifndef SG_UNWIND_UNWIND_CACHE_H
#define SG_UNWIND_UNWIND_CACHE_H

#include "unwind_rule.h"

#define WORD_BYTES 8

/* A rule in one word, for the cases that compilers make; 0: none. */
struct short_rule {
    int16_t cfa_words; /* the frame's address, from the base */
    int16_t frame;     /* where the register is saved, from the CFA; 0: still has its value */
    int16_t rbx;
    uint8_t cfa_base; /* enum short_base */
    uint8_t is_valid : 1;
    uint8_t is_outermost : 1;    /* no frame around this one */
    uint8_t frame_in_memory : 1; /* `frame` counts from the frame pointer, not from the CFA */
    uint8_t rbx_in_memory : 1;
};

enum short_base { SHORT_STACK, SHORT_FRAME, SHORT_RBX, SHORT_FRAME_MEMORY };

static_assert(sizeof(struct short_rule) == sizeof(uint64_t), "one word");

HIDDEN struct short_rule sg_cache_find(const struct module *module, uintptr_t pc);

/* Keeps the rule if it can be said shortly. */
HIDDEN void sg_cache_keep(const struct module *module, uintptr_t pc, const struct rule *rule);

#endif
