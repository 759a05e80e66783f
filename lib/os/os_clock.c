#include "os_clock.h"

#include "os_vdso.h"

uint64_t sg_os_nanoseconds(void)
{
    struct timespec now = sg_os_clock(CLOCK_MONOTONIC);

    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
