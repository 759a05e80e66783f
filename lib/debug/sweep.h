/* Checks of all blocks that are under way: which record each of them looks at. Its state is BUSY
 * then, as if the block were ending; who finds it so can tell the two apart, and a forked child
 * gives back what threads of its parent were looking at. */
#ifndef SG_DEBUG_SWEEP_H
#define SG_DEBUG_SWEEP_H

#include "lifecycle.h"
#include "record.h"

struct sweep {
    _Atomic uintptr_t thread; /* os_thread_tag(); 0: nobody's */
    _Atomic int process;
    _Atomic uint32_t number; /* of the record; 0: none */
    _Atomic uint8_t state;   /* that it had */
};

/* Waits while too many others are at it, but not for ever. NULL: then one that is all zero and that
 * nobody knows has to do. */
HIDDEN MUST_USE struct sweep *sg_sweep_begin(void);
HIDDEN void sg_sweep_end(struct sweep *sweep);

/* As record_claim(), and back to the state that it had. */
HIDDEN MUST_USE bool sg_sweep_claim(struct sweep *sweep, struct record *record, uint8_t from);
HIDDEN void sg_sweep_leave(struct sweep *sweep, struct record *record);

/* Waits while another thread looks at the record: it may be writing a report. OWN: this thread
 * does, and a handler of a signal interrupted it: waiting would never end. */
enum sweep_holder { SWEEP_NOBODY, SWEEP_OTHER, SWEEP_OWN };
HIDDEN MUST_USE enum sweep_holder sg_sweep_await(const struct record *record);

/* What this thread looks at is given back: the process ends now, unless a handler of SIGABRT leaves
 * by a jump, and then nobody else would. */
HIDDEN void sg_sweep_give_up(void);

HIDDEN void sg_sweep_fork(enum fork_step step);

#endif
