/* Calls of the program on the allocator, each with its promise in front and its check behind. */
#ifndef SG_FUZZ_MISUSE_HEAP_H
#define SG_FUZZ_MISUSE_HEAP_H

#include "child.h"
#include "ending.h"
#include "victim.h"

/* Acts of the input: numbered from 0. */
int act_begin(enum act_kind kind, size_t block_bytes);
void act_settle(int act, enum outcome outcome); /* unless it is settled */
extern int act_current;                         /* or NO_ACT */

enum make_kind { MAKE_MALLOC, MAKE_CALLOC, MAKE_ALIGNED };

struct making {
    enum make_kind kind;
    size_t bytes; /* above 0 */
    size_t alignment;
    uint8_t maker;
    uint8_t seed;
    bool is_zero; /* filled with zeroes */
};
void heap_make(struct victim *victim, const struct making *making);

/* Hands a pointer back, rightly or not. */
void heap_end(const struct ending *ending);

/* Everything free goes as far down as it can; or what this thread caches does. */
void heap_trim(void);
void heap_drain(void);

/* The second thread ends, and with it its cache. Called by the first. */
void heap_end_thread(void);

/* The attacker writes into the cache of free blocks of this thread. False: it holds none. */
bool heap_damage_entry(uint32_t class, uint8_t value, int act);

/* Asks for all that is stained until it is handed out. */
void heap_use_stains(void);

#endif
