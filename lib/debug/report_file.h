/* The file that reports are appended to besides, one line each: SPANGUARD_REPORT_FILE. A process
 * that may not open it (any more) writes to the descriptor that SPANGUARD_REPORT_DESCRIPTOR says it
 * has inherited, if that still is the file: NUMBER:DEVICE:INODE. */
#ifndef SG_DEBUG_REPORT_FILE_H
#define SG_DEBUG_REPORT_FILE_H

#include "format.h"

/* Once, at start: the program may change the environment, its folder and its rights later. */
HIDDEN void sg_report_file_start(void);

/* False: there is no such file. */
HIDDEN MUST_USE bool sg_report_file_is_wanted(void);

HIDDEN void sg_report_file_append(const struct text *line);

#endif
