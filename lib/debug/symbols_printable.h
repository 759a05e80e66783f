/* Text that may come from anybody (paths, names in files) as it can go to a terminal. */
#ifndef SG_DEBUG_SYMBOLS_PRINTABLE_H
#define SG_DEBUG_SYMBOLS_PRINTABLE_H

#include "format.h"

/* Appends well-formed UTF-8 as it is; a question mark for each byte that is not, for control
 * characters and those that change the direction of text. A character is never cut in two. */
HIDDEN void sg_symbols_put_printable(struct text *text, const char *bytes, size_t length);

#endif
