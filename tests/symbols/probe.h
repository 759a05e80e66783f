/* What a test program may ask of the library under test: each prints what is known of a place. */
#ifndef SG_SYMBOLS_PROBE_H
#define SG_SYMBOLS_PROBE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The stack of the caller. */
void probe_stack(void);
/* The same with the ucontext_t of a signal. */
void probe_context(const void *context);
/* An address of data. */
void probe_data(const void *address);
/* As probe_stack(), with the stack several times in one bug. */
void probe_many(void);
/* Whether a report found anything, its milliseconds in *ret_ms; prints nothing. */
int probe_quiet(unsigned milliseconds, long *ret_ms);

#ifdef __cplusplus
}
#endif
#endif
