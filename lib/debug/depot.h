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

/* 0 if there is no memory left for it, or `count` is 0 or more than DEPOT_FRAMES_MAX. */
HIDDEN MUST_USE stack_id sg_depot_put(const uintptr_t *frames, uint32_t count);

/* Once more the stack of this number, which sg_depot_put() gave: counts as a call of it. */
HIDDEN void sg_depot_put_again(stack_id id);

/* Count 0 for number 0 or a number that was never given. */
HIDDEN struct depot_stack sg_depot_get(stack_id id);

/* Counts calls for each stack: how many sg_depot_put() gave this number, this one included. */
HIDDEN uint64_t sg_depot_count(stack_id id);

/* Mapped, its own tables included. */
HIDDEN size_t sg_depot_bytes(void);

/* What sg_depot_bytes() may grow to; DEPOT_BYTES_DEFAULT unless said here. Stacks that are new
 * beyond that have the number 0; those that are known keep theirs. */
#define DEPOT_BYTES_DEFAULT ((size_t)256 << 20)
HIDDEN void sg_depot_limit(size_t bytes);

#endif
