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

/* How a process of the tiers begins: all zero is the usual way. */
struct laboratory_settings {
    uint64_t seed;       /* of random numbers, the clock and all secrets */
    const char *options; /* as in SPANGUARD_OPTIONS; NULL: none. Copied. */
    unsigned base;       /* which addresses the arena has */
    bool is_real;        /* guards and access are the machine's too, so that a touch faults: slow */
    bool is_upwards;     /* see arena.h */
    bool is_gapped;
    bool looks_everywhere;
    bool without_guard_advice;
};

#define LABORATORY_OPTIONS_BYTES 512u

/* The tiers become as in a new process that has the arena for a kernel: their variables, the
 * calling thread's cache and all memory. Their start happens in the first call, as always. `fault`
 * and `sync` are NULL after it. Some microseconds, and longer the more memory was written to.
 *
 * No other thread may be inside the tiers; those that were must have ended, or have let go of their
 * caches. A program that links the tiers needs fuzz_link_arguments of meson.build. */
void laboratory_begin(const struct laboratory_settings *settings);

/* Everything is forgotten; blocks that are still live are gone. Ends the process if memory was
 * written to that was guarded or not mapped. A begin() without it is the same. */
void laboratory_end(void);

/* The machine's own. */
long laboratory_machine_call(long number, const long *arguments);

#endif
