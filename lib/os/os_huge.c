#include "os_huge.h"

#include "os_syscall.h"

#include <sys/mman.h>

void sg_os_prefer_huge(void *address, size_t bytes)
{
    (void)os_syscall3(SYS_madvise, (long)address, (long)bytes, MADV_HUGEPAGE);
}
