/* The ledger of the arena: what each of its OS pages is, and where the next mapping goes. For
 * arena.c, under its lock. */
#ifndef SG_FUZZ_ARENA_LEDGER_H
#define SG_FUZZ_ARENA_LEDGER_H

#include "arena.h"

#define LEDGER_PAGES (ARENA_BYTES / ARENA_OS_PAGE_BYTES)

enum page_flags {
    MAPPED = 1,
    ACCESS = 2,
    GUARD = 4,
    KEPT = 8, /* without access, and may hold contents */
};

struct range {
    size_t first; /* pages of the arena */
    size_t end;
};

/* A hint says that the tiers want a place of their own choice: records, far from the program's. */
enum zone_kind { ZONE_BLOCKS, ZONE_RECORDS, ZONE_COUNT };

extern uint8_t ledger[LEDGER_PAGES]; /* enum page_flags */

void ledger_start(char *start, bool is_upwards, bool is_gapped);

/* Nothing is mapped; arena_contains() nothing any more. */
void ledger_drop(void);

/* All pages of the zone that were ever mapped since the start lie in it. */
struct range ledger_used(enum zone_kind kind);

char *ledger_address(size_t page);
size_t ledger_page(const void *address);

/* Maps some pages with these flags, and returns the first; false: no room. */
bool ledger_map(enum zone_kind kind, size_t pages, unsigned flags, size_t *ret_first);
void ledger_unmap(struct range range);

/* One of the pages that is not mapped; false if there is none. */
bool ledger_find_unmapped(struct range range, size_t *ret_page);

#endif
