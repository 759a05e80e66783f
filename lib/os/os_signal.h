/* Signals that somebody outside sends us. */
#ifndef SG_OS_SIGNAL_H
#define SG_OS_SIGNAL_H

#include "compiler.h"

/* Calls `handler` in a signal handler whenever the signal comes, errno kept; in place of what was
 * there. At most once for each of two signals. */
HIDDEN void sg_os_on_signal(int number, void (*handler)(void));

#endif
