/* The stack depot: each stack once, by a number that fits into a record. Entries live for ever.
 * Lock-free and async-signal-safe; nothing is allocated from the heap that is being debugged. After
 * the depot of ThreadSanitizer and LeakSanitizer (Serebryany and others). */
#ifndef SG_DEBUG_DEPOT_H
#define SG_DEBUG_DEPOT_H

#include "compiler.h"

#define DEPOT_FRAMES_MAX 32u

/* 0: no stack. */
typedef uint32_t stack_id;

struct depot_stack {
    uint32_t count;
    const uintptr_t *frames; /* return addresses, innermost first; valid for ever */
};

/* 0 if there is no memory left for it, or `count` is 0. */
HIDDEN MUST_USE stack_id sg_depot_put(const uintptr_t *frames, uint32_t count);

/* Count 0 for number 0 or a number that was never given. */
HIDDEN struct depot_stack sg_depot_get(stack_id id);

/* Counts calls for each stack: how many sg_depot_put() gave this number, this one included. */
HIDDEN uint64_t sg_depot_count(stack_id id);

HIDDEN size_t sg_depot_bytes(void);

#endif
