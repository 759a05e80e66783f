/* What the parts of `explain` agree on. */
#ifndef SG_COMMAND_EXPLAIN_H
#define SG_COMMAND_EXPLAIN_H

#include "modules.h"

struct bug;

/* A one-line report as a full one, on stdout. */
void sg_explain_line(const struct line_report *report, const struct module_files *files);

/* Finds names and lines for the frames of a bug that lack them. */
void sg_explain_find_symbols(struct bug *bug, const struct module_files *files);

/* A copy for the terminal: without control characters. */
void sg_explain_put(const char *text);

#endif
