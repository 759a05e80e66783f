/* What the model allows the next call to do, decided before it is made: return, or end the process
 * with one of these lines. */
#ifndef SG_FUZZ_MISUSE_PROMISE_H
#define SG_FUZZ_MISUSE_PROMISE_H

#include "compiler.h"

#define PROMISE_NO_CLASS UINT32_MAX

/* Nothing is allowed; then: whether the call may return. */
void promise_start(bool may_return);
void promise_return(bool may_return);
bool promise_may_return(void);
bool promise_has_line(void);

/* One more finding that may be reported, word for word: of `act`, about a block of `class`, or of
 * PROMISE_NO_CLASS if the report is of none. A '*' at its end stands for anything. */
struct reason {
    int act;
    uint32_t class;
};
void promise_line(struct reason reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The act that explains the report, or below NO_ACT if the model does not allow it. */
#define PROMISE_BROKEN (-2)
int promise_judge(const char *said);

/* The lines, for a message. */
const char *promise_text(void);

#endif
