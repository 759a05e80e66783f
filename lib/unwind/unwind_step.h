/* One step of a walk: from the registers of a frame to those of the frame around it. */
#ifndef SG_UNWIND_UNWIND_STEP_H
#define SG_UNWIND_UNWIND_STEP_H

#include "unwind_machine.h"
#include "unwind_memory.h"
#include "unwind_module.h"

struct walk {
    struct registers registers;
    struct stack_memory memory;
    struct module module; /* around the last address; start == end: none */
    unsigned signals;     /* frames of handlers met so far */
    bool is_exact;        /* the pc was interrupted there, and is not behind a call */
};

/* False at the outermost frame, and where the stack makes no sense. */
HIDDEN MUST_USE bool sg_unwind_step(struct walk *walk);

#endif
