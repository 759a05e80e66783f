/* The kernel's clock without a system call, as the kernel itself maps it into each process. libc's
 * clock_gettime does the same, but a program or a preload may have put its own in its place: those
 * that fake the time do, and may allocate there, inside malloc. */
#ifndef SG_OS_VDSO_H
#define SG_OS_VDSO_H

#include "compiler.h"

#include <time.h>

/* Finds it, once; before, and where it is not to be found, the clock is a system call. */
HIDDEN void sg_os_vdso_start(void);

/* All zero if there is no such clock. */
HIDDEN struct timespec sg_os_clock(clockid_t clock);

#endif
