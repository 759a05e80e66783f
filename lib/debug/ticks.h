/* Time in the cheapest unit that the processor counts; turned into microseconds by reports. */
#ifndef SG_DEBUG_TICKS_H
#define SG_DEBUG_TICKS_H

#include "compiler.h"

static inline uint64_t debug_ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return 0;
#endif
}

/* Remembers a moment in both units, from which sg_ticks_microseconds() learns the rate. */
HIDDEN void sg_ticks_start(void);

/* How long ago that was; UINT64_MAX: not known. */
HIDDEN uint64_t sg_ticks_microseconds_since(uint64_t ticks);

#endif
