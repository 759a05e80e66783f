/* What the samples share. Each is one bug, as it is written every day; with -DFIXED the same program
 * without it. BUG, ALLOC and FREE in a comment mark the line that does wrong (for a leak: nothing),
 * the one that made the block and the one that freed it: the runners read them.
 *
 * Plain C also for C++. Nothing here may allocate. */
#ifndef SG_SAMPLES_SAMPLE_H
#define SG_SAMPLES_SAMPLE_H

#include <stddef.h>

#ifdef FIXED
#define IS_FIXED 1
#define PICK(fixed, buggy) fixed
#else
#define IS_FIXED 0
#define PICK(fixed, buggy) buggy
#endif

/* Its calls stay as written: gcc would also move what it reads to the caller. */
#ifdef __clang__
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE __attribute__((noipa))
#endif

/* The same pointer, of which the compiler now knows nothing: it may not conclude from the standard
 * that the bug does not happen, and drop it. */
static inline void *opaque(const void *pointer)
{
    void *result = (void *)(size_t)pointer;

    __asm__ volatile("" : "+r"(result) : : "memory");
    return result;
}

/* No register and no word of dead stack holds an old pointer any more. A sanitizer would align its
 * frame, and leave a gap that keeps one. */
static __attribute__((noinline, unused, no_sanitize("address"))) void forget(void)
{
    volatile char room[16384];

    for (size_t i = 0; i < sizeof(room); i++)
        room[i] = 0;
}

#endif
