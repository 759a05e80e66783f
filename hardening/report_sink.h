/* A finished line on its way out of the process. */
#ifndef SG_HARDENING_REPORT_SINK_H
#define SG_HARDENING_REPORT_SINK_H

#include "format.h"
#include "report.h"

/* The line, which ends in a newline, to where the settings say; to stderr if that does not take it.
 * `code` is NULL for a notice. */
HIDDEN void sg_report_send(const struct report_settings *settings, const struct text *line,
                           const char *code);

/* systemd's journal, in its native protocol, at the socket `path`. */
HIDDEN MUST_USE bool sg_report_to_journal(const char *path, const struct text *line,
                                          const char *code);

#endif
