/* The blocks that the model knows, by what was asked for and answered; and what the attacker's
 * writes did to them and to free memory. The size of a slot and whose a page is are read from the
 * page map, which other targets prove; what is live, damaged or written to is the model's own. */
#ifndef SG_FUZZ_MISUSE_VICTIM_H
#define SG_FUZZ_MISUSE_VICTIM_H

#include "options.h"
#include "size_class.h"
#include "span.h"

#define VICTIM_SLOTS 32u /* that records name; the others are a burst's */
#define VICTIM_COUNT 96u
#define NO_ACT (-1)

struct victim {
    char *address;    /* NULL: there never was one */
    size_t bytes;     /* asked for */
    size_t alignment; /* asked for, or 16 */
    size_t usable_bytes;
    size_t slot_bytes; /* of its slot; of a large one, to the end of its last OS page */
    uint32_t class;
    uint8_t maker;
    bool is_live;
    bool is_written; /* the attacker wrote into it: its contents are no promise any more */
    bool is_zero;    /* filled with zeroes */
    uint8_t seed;    /* of what it is filled with */
    int damaged_by;  /* the act that wrote behind it last */
    uint64_t canary; /* as it was when whole */
};

extern struct victim victims[VICTIM_COUNT];
extern enum profile victim_profile;

/* What the profiles promise. */
bool profile_has_canary(uint32_t class);
bool profile_clears_all(uint32_t class);
bool profile_clears_edges(uint32_t class);

/* The most that the program may use of a slot. */
size_t profile_usable_bytes(uint32_t class);

/* A new live block: `maker`, `bytes` and `address` are set. Ends the input unless it lies in the
 * heap, overlaps nobody, and is as large as was asked for. */
void victim_begin(struct victim *victim);

/* Fills it, and verifies that. Blocks beyond a few KiB at both ends only. */
void victim_fill(struct victim *victim);
void victim_verify(const struct victim *victim, size_t bytes);
void victim_verify_all(void);

/* What is behind the bytes is the block's own again. */
void victim_note_end(struct victim *victim);

struct victim *victim_at(const void *address);     /* a live one that starts there, or NULL */
struct victim *victim_around(const void *address); /* or in whose slot it lies */

/* What lies behind the bytes of a live block is not as it was left. Offsets from its start. */
struct damage {
    bool is_damaged;
    bool in_slack;     /* in the bytes of the slack that count */
    size_t first;      /* that changed */
    size_t first_word; /* that changed, of the canary; or its end */
    bool starts_whole; /* the canary's first byte is */
    bool ends_whole;   /* and its last */
};
struct damage victim_damage(const struct victim *victim);

/* Free memory that the attacker wrote to: a slot, and where in it the lowest change is. */
struct stain {
    char *slot; /* NULL: none */
    uint32_t class;
    int act;
    size_t first;
    bool is_fresh; /* it was never handed out, perhaps */
};

#define STAINS 64u
extern struct stain stains[STAINS];
void stain_add(struct stain stain);

/* And memory that was no slot's at that moment. */
struct wild {
    uintptr_t from;
    uintptr_t end;
    int act;
};
#define WILDS 32u
extern struct wild wilds[WILDS];
extern unsigned wild_count;
void wild_add(uintptr_t from, uintptr_t end, int act);
bool wild_touches(uintptr_t from, size_t bytes);

#endif
