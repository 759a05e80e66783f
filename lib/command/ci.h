/* `run --ci`: the command stays behind, the reports of the program and of all its descendants are
 * collected, and written as JSON lines, SARIF and JUnit. */
#ifndef SG_COMMAND_CI_H
#define SG_COMMAND_CI_H

#include "findings.h"
#include "library.h"

struct ci {
    const char *wanted;     /* the folder, as it was given */
    char folder[PATH_MAX];  /* absolute */
    char records[PATH_MAX]; /* its report.jsonl */
    int lines;              /* descriptor of the file for one-line reports; -1: none */
    unsigned straggler_seconds;
};

/* Makes the folder, removes the results of an earlier run in it; for the release library opens the
 * file for its lines. */
MUST_USE bool sg_ci_begin(struct ci *ci, const struct library *library,
                          struct verdict *ret_verdict);

/* Runs `path` and waits for it and what it left behind; the status is as a shell has it. */
MUST_USE int sg_ci_wait(const struct ci *ci, const char *path, char **argv);

/* Writes the results. The status to leave with: STATUS_REPORTS if there are reports, STATUS_REFUSED
 * if they could not be written, else that of the program. */
MUST_USE int sg_ci_finish(const struct ci *ci, const char *program, int status);

/* The results, by kind. False: errno says why. */
MUST_USE bool sg_write_sarif(const char *path, const struct findings *findings);
MUST_USE bool sg_write_junit(const char *path, const struct findings *findings);
void sg_write_annotations(const struct findings *findings);

#endif
