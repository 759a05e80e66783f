/* A walk that also says what it depended on, for who wants to know later whether another walk would
 * give the same without walking again. */
#ifndef SG_UNWIND_UNWIND_TRACE_H
#define SG_UNWIND_UNWIND_TRACE_H

#include "unwind_machine.h"
#include "unwind_module.h"

#define TRACE_READS_MAX 64u

/* A walk is a function of the registers it starts with, of the words of the stack that it reads,
 * and of the tables of the modules that it meets. It reads the address of the next frame only from
 * what it has so far: as long as all that counts is the same, it takes the same way.
 *
 * A saved register that no frame further out needs does not count: it may differ. */
struct trace {
    /* What the walk gets. */
    uintptr_t sure_low; /* this part of the stack is readable for certain */
    uintptr_t sure_bytes;
    uintptr_t own_start; /* frames in there are not part of the answer */
    uintptr_t own_bytes;

    /* What it gives. */
    bool is_whole;    /* nothing counts but what is said here; else the rest has no meaning */
    bool needs_frame; /* the value that the frame pointer had at the start counts */
    bool needs_rbx;
    uint32_t read_count;
    uintptr_t addresses[TRACE_READS_MAX];
    uintptr_t values[TRACE_READS_MAX];
};

/* As sg_unwind(), from registers that are still true of a function that has not returned: the first
 * frame of the answer is its caller. */
HIDDEN size_t sg_unwind_traced(const struct registers *start, struct trace *trace,
                               uintptr_t *frames, size_t limit);

#endif
