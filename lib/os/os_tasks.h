/* The threads of this process, as the kernel knows them. */
#ifndef SG_OS_OS_TASKS_H
#define SG_OS_OS_TASKS_H

#include "compiler.h"

/* A descriptor of the list, which another process may read, too; negative: there is no /proc. */
HIDDEN MUST_USE int sg_os_tasks_open(void);

/* Calls `visit` with the id of each thread until it says no; false if it did, or if the list cannot
 * be read. */
HIDDEN MUST_USE bool sg_os_tasks_each(int tasks, bool (*visit)(int id, void *context),
                                      void *context);

/* Whether a thread has ended. The first one stays in the list for as long as others live. */
HIDDEN MUST_USE bool sg_os_task_is_dead(int tasks, int id);

#endif
