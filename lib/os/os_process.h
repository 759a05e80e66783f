/* What a report needs to know of its own process. Raw system calls: errno stays as it is. */
#ifndef SG_OS_PROCESS_H
#define SG_OS_PROCESS_H

#include "compiler.h"

#define OS_PROGRAM_PATH_BYTES 512

/* The file of the running program: its path, or as much of its end as fits. */
HIDDEN MUST_USE bool sg_os_executable_path(char path[OS_PROGRAM_PATH_BYTES]);

/* Whether the aligned word at `address` can be read. Costs a system call; answers for the whole OS
 * page. */
HIDDEN MUST_USE bool sg_os_is_readable(uintptr_t address);

#endif
