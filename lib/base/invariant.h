/* ASSERT: a mistake of ours, compiled into the debug build only, free of side effects.
 * What a program or an attacker can reach is never an ASSERT: it is a verdict, always on. */
#ifndef SG_BASE_INVARIANT_H
#define SG_BASE_INVARIANT_H

#include "compiler.h"

#ifndef SG_DEBUG_CHECKS
#define SG_DEBUG_CHECKS 0
#endif

/* Says "file:line: text" through the hook, then traps. Never returns, takes no lock. */
HIDDEN _Noreturn void sg_panic(const char *where, const char *text);

/* Set once at start by the layer that can write; until then a panic traps without words. */
extern HIDDEN void (*sg_panic_hook)(const char *where, const char *text);

#define SG_TEXT_(x) #x
#define SG_TEXT(x) SG_TEXT_(x)
#define SG_WHERE __FILE__ ":" SG_TEXT(__LINE__)

#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (SG_DEBUG_CHECKS && UNLIKELY(!(condition)))                                             \
            sg_panic(SG_WHERE, #condition);                                                        \
    } while (0)

#endif
