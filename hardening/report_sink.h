/* A finished line on its way out of the process. */
#ifndef SG_HARDENING_REPORT_SINK_H
#define SG_HARDENING_REPORT_SINK_H

#include "format.h"
#include "report.h"

#define REPORT_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* The line, which ends in a newline, to where the settings say; to stderr if that does not take it.
 * `code` is NULL for a notice. The journal is the socket `journal`. */
HIDDEN void sg_report_send(const struct report_settings *settings, const char *journal,
                           const struct text *line, const char *code);

#endif
