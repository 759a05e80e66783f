/* A run of whole pages with one owner and one use, described outside the pages: no object can
 * overflow into its own description.
 *
 *   FREE --page cache hands out--> CENTRAL (slots of one class) or LARGE (one object)
 *        <-----all slots back-----
 *
 * The owner is said explicitly. It is never inferred from a count: a span that is being carved has
 * no live slot yet, and must not be merged.
 *
 * Invariants, asserted by sg_span_check():
 *   I1  CENTRAL, LARGE: page_map_lookup(p) is this span for each of its pages p
 *   I2  FREE: slots.slot_count == 0, so that no pointer into it can be freed; its first and last
 *       page find it, the pages between find sg_span_retired or sg_span_forbidden
 *   I3  CENTRAL: free_slots <= slots.slot_count, and the geometry is that of its class */
#ifndef SG_SPAN_SPAN_H
#define SG_SPAN_SPAN_H

#include "compiler.h"
#include "list.h"
#include "slot.h"
#include "units.h"

enum span_owner {
    SPAN_NOWHERE = 0, /* a record that describes nothing */
    SPAN_FREE,        /* in the page cache */
    SPAN_CENTRAL,     /* slots of a class; its free slots are with the central cache */
    SPAN_LARGE,       /* one object */
    SPAN_TYPED,       /* of a partition, which keeps its addresses for ever: slots of a class, or
                       * room for one object that is not there (no slots) */
    SPAN_PURGING,     /* taken out of the page cache while its memory goes back to the kernel */
};

/* Address space that is never exchanged: see `isolate_classes`. */
enum span_space { SPACE_COMMON, SPACE_LARGE, SPACE_COUNT };

struct __attribute__((aligned(CACHE_LINE_BYTES))) span {
    union {
        /* Read by free() before anything is proven. Constant while the span is in use, as are
         * `class` (size class or CLASS_LARGE) and `owner` (enum span_owner) inside. `mark` is the
         * list that a CENTRAL span is in, and whether the memory of a FREE one is dirty. */
        struct slot_geometry slots;
        struct {
            uintptr_t base_;
            struct list_node dirty_link; /* FREE and dirty: by age; RANK_PAGE_CACHE */
        };
    };
    union {
        struct list_node link; /* the lock of the list that holds the span */
        struct {
            struct span *left; /* FREE and long: tree of runs; RANK_PAGE_CACHE */
            struct span *right;
        };
        struct {
            size_t large_bytes;  /* LARGE: what the program asked for */
            uint32_t lead_bytes; /* LARGE: of the guard in front; the run begins so much lower */
            uint32_t sample;     /* LARGE: number of its record, see lib/pool; 0: none */
        };
    };
    union {
        uint64_t given_back; /* CENTRAL: bit i: the i-th OS page has no memory; its list's lock */
        struct {
            slot_state_byte large_state;  /* LARGE: the state of its one slot */
            uint8_t is_guarded : 1;       /* LARGE: has pages around that should have no access */
            uint8_t is_closed : 1;        /* LARGE: some of its pages have no access */
            uint8_t is_closed_around : 1; /* LARGE: nothing around the object has */
            uint8_t is_empty_around : 1;  /* LARGE: what lies around has no access and no memory */
            uint8_t is_empty_inside : 1;  /* LARGE and freed: the object has no memory either */
            bool first_guarded; /* FREE: its first and last page; the pages between find */
            bool last_guarded;  /* sg_span_forbidden if they are; RANK_PAGE_CACHE */
            uint8_t space;      /* FREE: enum span_space */
            uint8_t partition;  /* TYPED, LARGE: see lib/pool/typed.h; 0: of none */
        };
    };
    uint32_t free_slots; /* CENTRAL; RANK_CENTRAL_LIST of the class */
    uint32_t pages;      /* constant while in use; RANK_PAGE_CACHE */
};

static_assert(sizeof(struct span) == CACHE_LINE_BYTES, "a look-up costs one cache line");

#define SPAN_MAX_PAGES UINT32_MAX

/* What the pages inside a free run find: nothing can be freed there, but the memory was ours. */
extern HIDDEN struct span sg_span_retired;

/* The same, and the page may have no access. */
extern HIDDEN struct span sg_span_forbidden;

/* Where its pages begin: not always at the first slot. */
static inline uintptr_t span_start(const struct span *span)
{
    return span->slots.base - (span->slots.owner == SPAN_LARGE ? span->lead_bytes : 0);
}

static inline uintptr_t span_end(const struct span *span)
{
    return span_start(span) + (uintptr_t)span->pages * PAGE_BYTES;
}

static inline size_t span_bytes(const struct span *span)
{
    return (size_t)span->pages * PAGE_BYTES;
}

/* A record for a run at `base`; NULL if there is no memory for it. Owner NOWHERE. */
HIDDEN MUST_USE struct span *sg_span_create(uintptr_t base, uint32_t pages);
HIDDEN void sg_span_destroy(struct span *span);

/* Debug build: stops unless I1 to I3 hold. The caller holds the owner's lock. */
HIDDEN void sg_span_check(const struct span *span);

#endif
