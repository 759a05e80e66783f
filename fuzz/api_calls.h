/* Calls of the public interface as lib/api has it, each with what the standards promise of errno
 * and of failure. */
#ifndef SG_FUZZ_API_CALLS_H
#define SG_FUZZ_API_CALLS_H

#include "shadow.h"

/* What errno holds between the calls: no success and no free may change it. */
#define API_ERRNO 4711

/* CALL_MALLOC, CALL_CALLOC, CALL_ALIGNED. */
void *api_make(const struct call *call);
void *api_resize(const struct call *call, void *block);

/* CALL_FREE, or CALL_FREE_STATED. */
void api_end(const struct call *call, void *block);

size_t api_usable(void *block);
void api_trim(const struct call *call);

#endif
