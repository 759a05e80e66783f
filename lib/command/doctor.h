/* What the parts of `doctor` agree on: one line for each finding, with what to do about it. */
#ifndef SG_COMMAND_DOCTOR_H
#define SG_COMMAND_DOCTOR_H

#include "command.h"

#include <limits.h>
#include <sys/types.h>

enum severity { SEVERITY_OK, SEVERITY_WARN, SEVERITY_NO };

/* The worst of what was said. */
struct diagnosis {
    enum severity worst;
};

struct remark {
    enum severity severity;
    const char *fix; /* what to do about it, or NULL */
};
#define FINE ((struct remark){SEVERITY_OK, NULL})
#define WARN(fix) ((struct remark){SEVERITY_WARN, (fix)})
#define BAD(fix) ((struct remark){SEVERITY_NO, (fix)})

/* "ok    ...", "warn  ...", "no    ...", and on a line of its own what to do. */
void sg_diagnose(struct diagnosis *diagnosis, struct remark remark, const char *format, ...)
    PRINTS(3, 4);

/* A file of /proc/PID, terminated; its length, or -1. Names in it may be separated by zeroes. */
struct proc_text {
    ssize_t length;
    char bytes[256 * 1024];
};
void sg_proc_read(pid_t process, const char *name, struct proc_text *ret_text);

/* What follows `name` at the start of a line, or NULL. */
MUST_USE const char *sg_proc_field(const struct proc_text *text, const char *name);

/* Whether the library serves a running process. False: nothing can be read of it. */
bool sg_diagnose_process(struct diagnosis *diagnosis, pid_t process);

/* What the process's limits, or those that a program would inherit (0), take away. */
void sg_diagnose_limits(struct diagnosis *diagnosis, pid_t process);

/* Kernel and configuration. */
void sg_diagnose_system(struct diagnosis *diagnosis);

/* Mistakes in a text of options. */
void sg_diagnose_options(struct diagnosis *diagnosis, const char *text);

#endif
