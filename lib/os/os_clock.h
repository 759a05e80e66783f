/* Time, to the nanosecond. */
#ifndef SG_OS_CLOCK_H
#define SG_OS_CLOCK_H

#include "compiler.h"

/* Since some moment in the past; never goes back. */
HIDDEN uint64_t sg_os_nanoseconds(void);

#endif
