/* Who called: the return addresses on a thread's stack, and where in which module each lies.
 * Nothing here allocates, locks or changes errno; all of it is safe in a signal handler, on a
 * damaged stack and with the heap destroyed: a walk that meets nonsense ends there. */
#ifndef SG_UNWIND_UNWIND_H
#define SG_UNWIND_UNWIND_H

#include "compiler.h"

#define STACK_FRAMES 8

/* A stack to remember: the innermost frames, as sg_unwind() gives them. */
struct stack {
    uint32_t count;
    uintptr_t frames[STACK_FRAMES];
};

/* The calling thread's stack, innermost first; returns how many frames were found. The first is
 * the address in its caller to which sg_unwind() returns; with the ucontext_t of a signal
 * (`context`), it is the address of the instruction that was interrupted.
 *
 * Every address but that one, and those that a signal frame in between interrupted, is behind a
 * call: subtract 1 to get into it. */
HIDDEN size_t sg_unwind(uintptr_t *frames, size_t limit, const void *context);

/* A module was unloaded: what was learnt of it is not true of another in its place. To be called
 * after each dlclose; without, walks through what came there may err or end. */
HIDDEN void sg_unwind_forget(void);

#define MODULE_NAME_BYTES 64

struct place {
    uintptr_t offset;               /* from the module's load address: its lowest mapped one */
    bool is_own;                    /* in the module that this code is in */
    bool is_main;                   /* in the program itself */
    char module[MODULE_NAME_BYTES]; /* base name of its file, cut off if longer, printable */
};

/* False if the address lies in no module: code made at run time, or no code at all. */
HIDDEN MUST_USE bool sg_unwind_place(uintptr_t pc, struct place *ret_place);

#endif
