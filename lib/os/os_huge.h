/* Pages of 2 MiB, where the kernel has some to spare. */
#ifndef SG_OS_OS_HUGE_H
#define SG_OS_OS_HUGE_H

#include "compiler.h"

#define OS_HUGE_BYTES ((size_t)2 << 20)

/* Asks for huge pages where the range has them aligned. Advice: without an effect on what is read
 * there, and nothing is lost where the kernel does not know it or has none. */
HIDDEN void sg_os_prefer_huge(void *address, size_t bytes);

#endif
