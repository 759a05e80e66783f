#include "os_random.h"

#include "os_syscall.h"
#include "os_vdso.h"

#include <sys/auxv.h>

#define NO_WAIT 1 /* GRND_NONBLOCK */

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

/* AT_RANDOM lies at any address. */
typedef uint64_t unaligned_word __attribute__((aligned(1), may_alias));

static uint64_t fallback_seed(void)
{
    const unaligned_word *from_kernel = (const unaligned_word *)getauxval(AT_RANDOM);
    struct timespec now = sg_os_clock(CLOCK_MONOTONIC);
    uint64_t seed = (uint64_t)(uintptr_t)&now ^ mix((uint64_t)(uintptr_t)&fallback_seed);

    seed ^= mix((uint64_t)now.tv_nsec ^ ((uint64_t)now.tv_sec << 32));
    if (from_kernel != NULL)
        seed ^= mix(from_kernel[0]) ^ mix(from_kernel[1] + 1);
    return seed;
}

bool sg_os_random(void *bytes, size_t count)
{
    if (os_syscall3(SYS_getrandom, (long)bytes, (long)count, NO_WAIT) == (long)count)
        return true;

    uint64_t state = fallback_seed();
    for (size_t i = 0; i < count; i++)
        ((unsigned char *)bytes)[i] = (unsigned char)(mix(state += 0x9e3779b97f4a7c15u) >> 32);
    return false;
}
