/* The loaded module around an address. */
#ifndef SG_UNWIND_UNWIND_MODULE_H
#define SG_UNWIND_UNWIND_MODULE_H

#include "compiler.h"

struct module {
    uintptr_t start;         /* of what is mapped */
    uintptr_t end;           /* past it */
    const uint8_t *eh_index; /* .eh_frame_hdr, or NULL */
    const char *name;        /* as the loader opened it; "" for the program */
    const void *identity;    /* the loader's record of it */
};

/* How often sg_unwind_forget() was called: what was learnt of a module holds for one value. */
extern HIDDEN _Atomic uint64_t sg_module_generation;

/* False if no module is there, or if this libc cannot tell without a lock (before glibc 2.35). */
HIDDEN MUST_USE bool sg_module_of(uintptr_t pc, struct module *ret_module);

#endif
