/* The outside world in text: the error stream and the environment. */
#ifndef SG_OS_FILE_H
#define SG_OS_FILE_H

#include "compiler.h"

/* Writes all of `text` to the descriptor, as far as it takes it; async-signal-safe. */
HIDDEN void sg_os_write(int descriptor, const char *text, size_t length);

#define OS_STDERR 2

/* The value of an environment variable, or NULL. NULL too when the kernel says that the program
 * runs with more rights than its caller (AT_SECURE): then the environment is the attacker's. */
HIDDEN MUST_USE const char *sg_os_environment(const char *name);

#endif
