#include "ticks.h"

#include "os_clock.h"

static uint64_t first_ticks, first_nanoseconds; /* constant after the start */

void sg_ticks_start(void)
{
    first_nanoseconds = sg_os_nanoseconds();
    first_ticks = debug_ticks();
}

uint64_t sg_ticks_microseconds_since(uint64_t time)
{
    uint64_t now = debug_ticks();
    uint64_t all_ticks = now - first_ticks;
    /* What is beyond TIME_BITS is as it is now, or was one less: shifted out, it does not count. */
    uint64_t since = (now >> TICKS_SHIFT) - time;
    uint64_t all_nanoseconds = sg_os_nanoseconds() - first_nanoseconds;

    since = since << (64 - TIME_BITS) >> (64 - TIME_BITS) << TICKS_SHIFT;
    if (time == 0 || since > all_ticks || all_ticks == 0)
        return UINT64_MAX;
    return (uint64_t)((double)since * (double)all_nanoseconds / (double)all_ticks / 1000);
}
