/* Memory for records and for the tree that finds them: all of it is written to sooner or later, in
 * no order, and stays for ever. */
#ifndef SG_DEBUG_RECORD_MEMORY_H
#define SG_DEBUG_RECORD_MEMORY_H

#include "os_huge.h"

#define RECORD_MEMORY_BYTES OS_HUGE_BYTES

/* RECORD_MEMORY_BYTES of zeroes; NULL: no memory. One page fault for all of it, if the kernel has a
 * huge page, instead of 512; but who asks for the first time gets small pages, since most programs
 * need no second. */
HIDDEN MUST_USE void *sg_record_memory(bool is_first);

#endif
