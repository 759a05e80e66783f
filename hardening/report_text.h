/* The parts of a report's line; each is added to a text that has room for some of it at least. */
#ifndef SG_HARDENING_REPORT_TEXT_H
#define SG_HARDENING_REPORT_TEXT_H

#include "format.h"
#include "report.h"

/* "P203" */
HIDDEN const char *sg_report_code(enum misuse_kind kind);

/* "P203 double free: free: a block of 120 bytes that is already free" */
HIDDEN void sg_report_say_finding(struct text *text, const struct misuse *misuse);

/* " at=MODULE+0xOFF id=XXXXXXXX", the first without a space if it begins the parenthesis */
HIDDEN void sg_report_say_places(struct text *text, const struct misuse *misuse);

/* " allocated=MODULE+0xOFF<... freed=..." as far as they are known */
HIDDEN void sg_report_say_stacks(struct text *text, const struct misuse *misuse);

#endif
