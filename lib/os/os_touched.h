/* Which pages of private memory were ever written to or read: the rest need not be looked at, and
 * looking would give them page tables. */
#ifndef SG_OS_TOUCHED_H
#define SG_OS_TOUCHED_H

#include "compiler.h"

#define OS_TOUCHED_PAGES 512u

struct os_touched {
    int file;        /* negative: every page counts as touched */
    uintptr_t start; /* page number of the first one known */
    size_t count;    /* of pages known */
    uint64_t pages[OS_TOUCHED_PAGES];
};

HIDDEN void sg_os_touched_open(struct os_touched *touched);
HIDDEN void sg_os_touched_close(struct os_touched *touched);

/* `from` if its page was touched, else the start of the next one that was; `to` if there is none
 * before it. For anonymous memory. */
HIDDEN uintptr_t sg_os_touched_next(struct os_touched *touched, uintptr_t from, uintptr_t to);

#endif
