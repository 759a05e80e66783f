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

/* Ticks in steps that let 48 bits last for months, and are far below a microsecond. */
#if defined(__x86_64__)
#define TICKS_SHIFT 8
#else
#define TICKS_SHIFT 4
#endif
#define TIME_BITS 48

static inline uint64_t debug_time(void)
{
    return debug_ticks() >> TICKS_SHIFT & (((uint64_t)1 << TIME_BITS) - 1);
}

/* Remembers a moment in both units, from which sg_ticks_microseconds() learns the rate. */
HIDDEN void sg_ticks_start(void);

/* How long ago that was, in terms of debug_time(); UINT64_MAX: not known. */
HIDDEN uint64_t sg_ticks_microseconds_since(uint64_t time);

#endif
