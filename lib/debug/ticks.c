#include "ticks.h"

#include "os_clock.h"

static uint64_t first_ticks, first_nanoseconds; /* constant after the start */

void sg_ticks_start(void)
{
    first_nanoseconds = sg_os_nanoseconds();
    first_ticks = debug_ticks();
}

uint64_t sg_ticks_microseconds_since(uint64_t ticks)
{
    uint64_t now = debug_ticks();
    uint64_t all_ticks = now - first_ticks;
    uint64_t all_nanoseconds = sg_os_nanoseconds() - first_nanoseconds;

    if (ticks == 0 || ticks > now || all_ticks == 0)
        return UINT64_MAX;
    return (uint64_t)((unsigned __int128)(now - ticks) * all_nanoseconds / all_ticks / 1000);
}
