/* What a program holds: it writes at both ends of each slot, where neighbours meet, and looks
 * whether that is still there when it gives the slot back. */
#ifndef SG_FUZZ_TIERS_HELD_H
#define SG_FUZZ_TIERS_HELD_H

#include "entry.h"

/* A slot that was handed out in `state`: all that it promises. Then it lives, and has its stamps;
 * a second one at the same place would find it live. */
void held_receive(uint32_t class, struct free_slot got, uint8_t state);

/* Before it is given back: it is as it was, and what is left in it is what the policy allows. */
void held_finish(uint32_t class, struct free_slot given);

#endif
