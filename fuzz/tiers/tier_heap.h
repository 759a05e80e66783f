/* For targets above the page cache: the tiers below over a kernel on paper with memory, options by
 * profile, all that can be known of spans and slots from outside, and the way back to nothing. */
#ifndef SG_FUZZ_TIERS_TIER_HEAP_H
#define SG_FUZZ_TIERS_TIER_HEAP_H

#include "size_class.h"
#include "span.h"
#include "tier.h"

/* header[0]: profile, span_quarantine, guards; header[1]: the kernel, dirty_bytes. */
void tier_heap_start(const struct tier_input *input);

/* What the states of slots say of a class. */
struct class_facts {
    size_t spans;
    size_t free_slots;
    size_t transfer_slots;
    size_t cached_slots; /* in whatever cache */
    size_t live_slots;
};

/* Looks at every span and every slot, and at what the tiers count. */
void tier_heap_check(struct class_facts ret_facts[CLASS_COUNT]);

/* Nothing is held any more: all goes back as far as it can, and nothing may be left over. */
void tier_heap_end(void);

/* Runs `attack` in a child: it must die with a report of this code, and of no other. */
void tier_expect_report(void (*attack)(void *argument), void *argument, const char *code);

/* Which byte of an entry to damage: not the two that no address reaches. */
static inline size_t tier_damaged_byte(uint8_t place)
{
    return place % 14 < 6 ? place % 14 : place % 14 + 2u;
}

/* 8-bit places to 209 classes, so that the lower places are of all sizes. */
uint32_t tier_class_of(uint8_t place);

/* What is left in a slot that is given back, all zero so far: as much as the policy allows. */
void tier_leave_garbage(void *slot, uint32_t class);

/* What a free slot promises: zeroes where the policy clears. */
void tier_expect_clear(const void *slot, uint32_t class);

#endif
