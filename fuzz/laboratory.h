/* What the tiers of the laboratory build ask for: system calls, the clock, and which thread goes on
 * at a sync point. Each may be taken over; untaken, the kernel answers and the threads run free. */
#ifndef SG_FUZZ_LABORATORY_H
#define SG_FUZZ_LABORATORY_H

#include "compiler.h"
#include "sync_point.h"

/* As the kernel's: the result, or -errno. */
typedef long system_call(long number, const long *arguments);

struct laboratory {
    system_call *kernel; /* NULL: the machine's own */
    /* Asked first. True: the call fails so, and `*ret_error` is the result. */
    bool (*fault)(long number, const long *arguments, long *ret_error);
    void (*sync)(enum sync_site site, const volatile void *object);
};

/* Changed only while no other thread is inside the tiers. */
extern struct laboratory laboratory;

/* The machine's own. */
long laboratory_machine_call(long number, const long *arguments);

#endif
