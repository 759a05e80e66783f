/* Which defences are on, in the form in which the hot paths ask: computed once from the options,
 * sealed after that. All off before the start, when nothing has been handed out yet.
 *
 * The content of a free slot that came back through these checks is zero: all of it up to
 * `zero_bytes` (option), else its first and last CONTENT_EDGE_BYTES. Whoever hands it out again
 * looks. A live slot ends with a canary (canary.h). */
#ifndef SG_SPAN_POLICY_H
#define SG_SPAN_POLICY_H

#include "compiler.h"
#include "size_class.h"

/* The usual cases are told apart by one look. */
enum class_way {
    WAY_SINGLE = 0, /* each defence asked for by itself */
    WAY_CLEARED,    /* canary, cleared wholly, checked */
    WAY_EDGES,      /* canary, edges cleared, checked */
};

#define WIPE_CHANCE_BITS 28

struct class_policy {
    uint32_t slot_bytes;
    uint32_t usable_bytes;     /* slot_bytes without the canary; 0 in the class of malloc(0) */
    uint32_t wipe_chance : 28; /* of 2^28: how often a slot with edges is cleared wholly */
    uint32_t is_cleared : 1;   /* all of a free slot is zero */
    uint32_t has_edges : 1;    /* its first and last CONTENT_EDGE_BYTES are */
    uint8_t way;               /* enum class_way */
    uint8_t canary_bytes;      /* CANARY_BYTES or 0 */
    uint8_t quarantine_slots;  /* a power of two, or 0: most freed slots that a bin holds back */
};

static_assert(sizeof(struct class_policy) == 16, "indexed in each call");

struct policy {
    bool is_checked;       /* any of the defences below: every call takes the checked path */
    uint32_t direct_bytes; /* longest block whose class is its count of 16-byte steps and
                              WAY_CLEARED, as are all shorter ones; 0: none is */
    bool checks_content;   /* zero is looked for when a slot is handed out again */
    uint8_t canary_bytes;  /* at the end of each slot: 0 or CANARY_BYTES */
    uint64_t sample_bytes; /* mean distance of guarded samples; 0: none */
    bool is_guarded;       /* pool=guarded: every block has pages of its own */
    bool is_system;        /* pool=system: libc's allocator serves as soon as it is found */
};

extern HIDDEN struct policy sg_policy;

/* By class; that of CLASS_LARGE is all zero. Apart, so that a class is an offset. */
extern HIDDEN struct class_policy sg_class_policy[CLASS_COUNT + 1];

/* Once, after the options are known. */
HIDDEN void sg_policy_start(void);

/* What the program may use of a slot of the class at most; before the start, all of it. */
static inline size_t policy_usable_bytes(uint32_t class)
{
    return class == CLASS_ZERO
               ? 0
               : sg_size_classes[class].slot_bytes - sg_class_policy[class].canary_bytes;
}

/* Whether threads go without caches. The paths that look into one find none then and leave for the
 * pool, which knows who serves: so other pools cost these paths nothing. */
static inline bool policy_is_uncached(void)
{
    return sg_policy.is_guarded || sg_policy.is_system;
}

/* Whether what the program asked for can be told from the block itself. */
static inline bool policy_knows_bytes(uint32_t class)
{
    return class == CLASS_LARGE || sg_class_policy[class].canary_bytes > 0;
}

/* `bytes`, up to SMALL_MAX_BYTES, and the canary. There is none in the last class: its spans have
 * one slot, and a guard follows that. */
static inline size_t policy_slot_bytes(size_t bytes)
{
    size_t slot_bytes = bytes + sg_policy.canary_bytes;

    return slot_bytes < SMALL_MAX_BYTES ? slot_bytes : SMALL_MAX_BYTES;
}

/* The class for `bytes` of the program's, canary included; CLASS_LARGE if there is none. */
static inline uint32_t policy_class_of(size_t bytes)
{
    if (bytes > SMALL_MAX_BYTES)
        return CLASS_LARGE;
    return bytes == 0 ? CLASS_ZERO : size_class_of(policy_slot_bytes(bytes));
}

/* The same for a block whose address is a multiple of `alignment`, a power of two. */
static inline uint32_t policy_class_aligned(size_t bytes, size_t alignment)
{
    if (bytes == 0 && alignment <= MIN_ALIGNMENT)
        return CLASS_ZERO; /* it cannot promise more */
    if (bytes > SMALL_MAX_BYTES)
        return CLASS_LARGE;
    return sg_size_class_aligned(policy_slot_bytes(bytes == 0 ? 1 : bytes), alignment);
}

#endif
