/* Every way in which a program hands a pointer back, and what must come of it. */
#ifndef SG_FUZZ_MISUSE_ENDING_H
#define SG_FUZZ_MISUSE_ENDING_H

#include "victim.h"

enum ender {
    ENDER_FREE,
    ENDER_CFREE,
    ENDER_SIZED,
    ENDER_ALIGNED_SIZED,
    ENDER_DELETE,
    ENDER_DELETE_SIZED,
    ENDER_DELETE_ARRAY,
    ENDER_REALLOC,
    ENDER_USABLE,
    ENDER_COUNT
};

struct ending {
    char *pointer;
    enum ender ender;
    size_t bytes;     /* stated, or of realloc the new ones: above 0 */
    size_t alignment; /* stated */
    int act;          /* or NO_ACT */
};

/* One that ends what `maker` made. */
enum ender ender_for(uint8_t maker, unsigned choice);

/* Whether the interface of the one may end what that of the other made. */
bool ender_may_end(enum ender ender, uint8_t maker);

/* The promise of the call. Returns the live block that it ends, or NULL if it must not return. */
struct victim *ending_promise(const struct ending *ending);

/* The call. Of realloc the new block, or NULL; of ENDER_USABLE the bytes. */
struct ended {
    char *moved;
    size_t usable_bytes;
};
struct ended ending_call(const struct ending *ending);

#endif
