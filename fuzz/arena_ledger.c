#include "arena_ledger.h"

#include <string.h>

#define HOLES_MAX 64u

struct zone {
    struct range free;             /* never mapped since the start */
    struct range used;             /* all that ever was */
    struct range holes[HOLES_MAX]; /* mapped once; what does not fit in here is not used again */
    unsigned hole_count;
};

static struct {
    char *start; /* NULL: there is no arena */
    bool is_upwards;
    bool is_gapped;
    size_t mapped_pages;
    struct zone zones[ZONE_COUNT];
} state;

uint8_t ledger[LEDGER_PAGES];

char *ledger_address(size_t page)
{
    return state.start + page * ARENA_OS_PAGE_BYTES;
}

size_t ledger_page(const void *address)
{
    return (size_t)((const char *)address - state.start) / ARENA_OS_PAGE_BYTES;
}

bool arena_contains(const void *address)
{
    return state.start != NULL && (uintptr_t)address - (uintptr_t)state.start < ARENA_BYTES;
}

static unsigned flags_at(const void *address)
{
    return arena_contains(address) ? ledger[ledger_page(address)] : 0;
}

bool arena_is_mapped(const void *address)
{
    return (flags_at(address) & MAPPED) != 0;
}

bool arena_is_of_blocks(const void *address)
{
    return arena_contains(address) && ledger_page(address) < ARENA_ZONE_BYTES / ARENA_OS_PAGE_BYTES;
}

bool arena_is_guarded(const void *address)
{
    unsigned flags = flags_at(address);

    return (flags & MAPPED) != 0 && ((flags & GUARD) != 0 || (flags & ACCESS) == 0);
}

bool arena_has_access(const void *address, size_t bytes)
{
    const char *end = (const char *)address + bytes;

    for (const char *at = address; at < end; at = ledger_address(ledger_page(at) + 1))
        if ((flags_at(at) & (MAPPED | ACCESS | GUARD)) != (MAPPED | ACCESS))
            return false;
    return true;
}

size_t arena_mapped_bytes(void)
{
    return state.mapped_pages * ARENA_OS_PAGE_BYTES;
}

size_t arena_accessible_bytes(void)
{
    size_t pages = 0;

    for (unsigned i = 0; i < ZONE_COUNT; i++)
        for (size_t page = state.zones[i].used.first; page < state.zones[i].used.end; page++)
            pages += (ledger[page] & (ACCESS | GUARD)) == ACCESS;
    return pages * ARENA_OS_PAGE_BYTES;
}

static void start_zone(struct zone *zone, size_t first, size_t end)
{
    zone->free = (struct range){first, end};
    zone->used = (struct range){end, first};
    zone->hole_count = 0;
}

#define ZONE_PAGES (ARENA_ZONE_BYTES / ARENA_OS_PAGE_BYTES)

void ledger_start(char *start, bool is_upwards, bool is_gapped)
{
    state.start = start;
    state.is_upwards = is_upwards;
    state.is_gapped = is_gapped;
    state.mapped_pages = 0;
    start_zone(&state.zones[ZONE_BLOCKS], 0, ZONE_PAGES);
    start_zone(&state.zones[ZONE_RECORDS], ZONE_PAGES, LEDGER_PAGES);
}

struct range ledger_used(enum zone_kind kind)
{
    struct range used = state.zones[kind].used;

    return used.first < used.end ? used : (struct range){0, 0};
}

/* The first page from `first` on that is mapped; LEDGER_PAGES if there is none. */
static size_t next_mapped(size_t first)
{
    for (unsigned i = 0; i < ZONE_COUNT; i++) {
        struct range used = ledger_used(i);

        for (first = first < used.first ? used.first : first; first < used.end; first++)
            if ((ledger[first] & MAPPED) != 0)
                return first;
    }
    return LEDGER_PAGES;
}

bool arena_next_mapping(const void *address, const char **ret_start, const char **ret_end)
{
    size_t first = arena_contains(address) ? ledger_page(address) : 0;
    size_t end;

    if ((uintptr_t)address >= (uintptr_t)state.start + ARENA_BYTES)
        return false;
    first = next_mapped(first);
    if (first == LEDGER_PAGES)
        return false;
    for (end = first; end < LEDGER_PAGES && (ledger[end] & MAPPED) != 0;)
        end++;
    *ret_start = ledger_address(first);
    *ret_end = ledger_address(end);
    return true;
}

void ledger_drop(void)
{
    for (unsigned i = 0; i < ZONE_COUNT; i++) {
        struct range used = ledger_used(i);

        memset(ledger + used.first, 0, used.end - used.first);
    }
    state.start = NULL;
}

static bool take_hole(struct zone *zone, size_t pages, size_t *ret_first)
{
    for (unsigned i = 0; i < zone->hole_count; i++) {
        struct range *hole = &zone->holes[i];

        if (hole->end - hole->first < pages)
            continue;
        if (state.is_upwards) {
            *ret_first = hole->first;
            hole->first += pages;
        } else {
            hole->end -= pages;
            *ret_first = hole->end;
        }
        if (hole->first == hole->end)
            *hole = zone->holes[--zone->hole_count];
        return true;
    }
    return false;
}

static void give_hole(struct zone *zone, struct range given)
{
    for (unsigned i = 0; i < zone->hole_count;) {
        struct range *hole = &zone->holes[i];

        if (hole->first != given.end && hole->end != given.first) {
            i++;
            continue;
        }
        given.first = hole->first < given.first ? hole->first : given.first;
        given.end = hole->end > given.end ? hole->end : given.end;
        *hole = zone->holes[--zone->hole_count];
    }
    if (zone->hole_count < HOLES_MAX)
        zone->holes[zone->hole_count++] = given;
}

static bool take_pages(struct zone *zone, size_t pages, size_t *ret_first)
{
    size_t gap = state.is_gapped;

    if (!state.is_gapped && take_hole(zone, pages, ret_first))
        return true;
    if (pages + gap > zone->free.end - zone->free.first)
        return false;
    if (state.is_upwards) {
        *ret_first = zone->free.first + gap;
        zone->free.first += pages + gap;
    } else {
        zone->free.end -= pages + gap;
        *ret_first = zone->free.end;
    }
    return true;
}

static void note_use(struct zone *zone, size_t first, size_t pages)
{
    zone->used.first = first < zone->used.first ? first : zone->used.first;
    zone->used.end = first + pages > zone->used.end ? first + pages : zone->used.end;
}

bool ledger_map(enum zone_kind kind, size_t pages, unsigned flags, size_t *ret_first)
{
    struct zone *zone = &state.zones[kind];

    if (!take_pages(zone, pages, ret_first))
        return false;
    note_use(zone, *ret_first, pages);
    memset(ledger + *ret_first, (int)flags, pages);
    state.mapped_pages += pages;
    return true;
}

void ledger_unmap(struct range range)
{
    memset(ledger + range.first, 0, range.end - range.first);
    state.mapped_pages -= range.end - range.first;
    give_hole(&state.zones[range.first < ZONE_PAGES ? ZONE_BLOCKS : ZONE_RECORDS], range);
}

bool ledger_find_unmapped(struct range range, size_t *ret_page)
{
    for (size_t page = range.first; page < range.end; page++)
        if ((ledger[page] & MAPPED) == 0) {
            *ret_page = page;
            return true;
        }
    return false;
}
