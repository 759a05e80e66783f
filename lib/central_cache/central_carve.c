/* Taking slots out of a span. */
#include "bits.h"
#include "central_state.h"
#include "content.h"
#include "os_memory.h"
#include "page_cache.h"
#include "policy.h"
#include "sync_point.h"

/* calloc spares itself the zeroes from here on. Beyond the sizes of the fast path, which knows
 * only one state of a cached slot. */
#define ZERO_SLOT_BYTES_MIN 4096u
static_assert(ZERO_SLOT_BYTES_MIN > CLASS_DIRECT_MAX_BYTES, "fast_allocate() sees CACHED only");

/* 0x80 in each byte of the result whose byte in `word` is 0, exactly. */
static uint64_t zero_bytes(uint64_t word)
{
    const uint64_t low = 0x7f7f7f7f7f7f7f7fu;

    return ~(((word & low) + low) | word | low);
}

static uint64_t load_states(const slot_state_byte *states)
{
    /* Relaxed and wider than the stores of other threads: they never make a slot free. */
    return __atomic_load_n((const uint64_t *)(const void *)states, __ATOMIC_RELAXED);
}

/* Whoever takes a slot reads it before it writes (checked_slot.h); on a page without memory that is
 * two faults instead of one. Writes without changing: a write after free stays to be found. */
static void touch(const struct span *span, uint64_t pages)
{
    if (!sg_policy.checks_content || !sg_class_policy[span->slots.class].has_edges)
        return;
    for (; pages != 0; pages &= pages - 1) {
        uintptr_t page = span->slots.base + (size_t)__builtin_ctzll(pages) * sg_os_page_bytes;

        /* Relaxed: the memory is in nobody's use. */
        atomic_fetch_or_explicit((_Atomic uint64_t *)page, 0, memory_order_relaxed);
    }
}

/* The OS pages under the slot have memory again as soon as it is touched. Returns the state of the
 * slot: whether none of them had any until now. */
static uint8_t note_taken(struct central_list *list, struct span *span, uint32_t index)
{
    uint64_t before = span->given_back;
    uint64_t pages = 0;
    size_t slot_bytes = sg_size_classes[span->slots.class].slot_bytes;
    size_t first = index * slot_bytes / sg_os_page_bytes;
    size_t last = ((index + 1) * slot_bytes - 1) / sg_os_page_bytes;

    for (size_t page = first; page <= last; page++)
        pages |= (uint64_t)1 << page;
    if ((before & pages) == 0)
        return SLOT_CACHED;
    span->given_back = before & ~pages;
    sg_page_cache_note_absent(-(long)__builtin_popcountll(before & pages));
    sg_central_note_regret(list);
    /* Small slots are too many to be worth it: their way out does not look at the state. */
    if (slot_bytes < ZERO_SLOT_BYTES_MIN) {
        touch(span, before & pages);
        return SLOT_CACHED;
    }
    return (before & pages) == pages ? SLOT_CACHED_ZERO : SLOT_CACHED;
}

struct part {
    size_t from; /* offsets in the span */
    size_t end;
};

static void clear_common(const struct span *span, struct part one, struct part other)
{
    size_t from = one.from > other.from ? one.from : other.from;
    size_t end = one.end < other.end ? one.end : other.end;

    if (from < end)
        __builtin_memset((char *)span->slots.base + from, 0, end - from);
}

/* What a page has of the edges of slots shorter than it. */
static void clear_edges_in(const struct span *span, struct part page)
{
    size_t slot_bytes = sg_size_classes[span->slots.class].slot_bytes;
    size_t slots_end = (size_t)span->slots.slot_count * slot_bytes;

    for (size_t at = page.from - page.from % slot_bytes; at < page.end && at < slots_end;
         at += slot_bytes) {
        clear_common(span, page, (struct part){at, at + CONTENT_EDGE_BYTES});
        clear_common(span, page,
                     (struct part){at + slot_bytes - CONTENT_EDGE_BYTES, at + slot_bytes});
    }
}

/* Pages in which no slot was handed out so far get what all their free slots promise. */
static void clear_raw_pages(const struct span *span, size_t first, size_t last)
{
    uint64_t *raw = central_raw_pages(span);

    for (size_t number = first; number <= last; number++) {
        struct part page = {number * sg_os_page_bytes, (number + 1) * sg_os_page_bytes};

        if ((*raw >> number & 1) == 0)
            continue;
        *raw &= ~((uint64_t)1 << number);
        if (sg_class_policy[span->slots.class].is_cleared)
            clear_common(span, page, page);
        else
            clear_edges_in(span, page);
    }
}

/* Clears what of the slot promises zeroes and holds what others left. Slots of an OS page or more
 * have their middles in different pages: the bit of that one is the slot's. */
static void clear_raw(const struct span *span, uint32_t index)
{
    const struct class_policy *policy = &sg_class_policy[span->slots.class];
    size_t slot_bytes = policy->slot_bytes;
    size_t from = (size_t)index * slot_bytes;
    uint64_t middle = (uint64_t)1 << (from + slot_bytes / 2) / sg_os_page_bytes;
    char *slot = (char *)span->slots.base + from;

    if (slot_bytes < sg_os_page_bytes) {
        clear_raw_pages(span, from / sg_os_page_bytes, (from + slot_bytes - 1) / sg_os_page_bytes);
        return;
    }
    if ((*central_raw_pages(span) & middle) == 0)
        return;
    *central_raw_pages(span) &= ~middle;
    if (policy->is_cleared)
        __builtin_memset(slot, 0, slot_bytes);
    else
        content_clear_edges(slot, slot_bytes);
}

/* Where slots are taken from. */
struct carving {
    struct central_list *list;
    struct span *span;
};

static uint32_t carve_word(struct carving from, uint32_t word, struct cache_entry *entries,
                           uint32_t wanted)
{
    struct span *span = from.span;
    size_t slot_bytes = sg_size_classes[span->slots.class].slot_bytes;
    slot_state_byte *states = span->slots.states + (size_t)word * WORD_SLOTS;
    uint32_t count = 0;

    for (uint64_t bits = zero_bytes(load_states(states)); bits != 0 && count < wanted;
         bits &= bits - 1) {
        uint32_t offset = (uint32_t)__builtin_ctzll(bits) / 8;
        uint32_t index = word * WORD_SLOTS + offset;

        store_relaxed(&states[offset], UNLIKELY(span->given_back != 0)
                                           ? note_taken(from.list, span, index)
                                           : SLOT_CACHED);
        if (UNLIKELY(*central_raw_pages(span) != 0))
            clear_raw(span, index);
        entry_encode(&entries[count++], (void *)(span->slots.base + index * slot_bytes),
                     &states[offset]);
    }
    return count;
}

/* The slots of one OS page after the other, so that few pages are touched; inside the page from a
 * random place on, so that the neighbour of a slot cannot be foretold. */
static uint32_t first_word(struct central_list *list, const struct span *span, uint32_t words)
{
    size_t slot_bytes = sg_size_classes[span->slots.class].slot_bytes;
    uint32_t words_per_os_page = (uint32_t)(sg_os_page_bytes / (slot_bytes * WORD_SLOTS));
    uint32_t word = 0;

    while (word + 1 < words &&
           zero_bytes(load_states(span->slots.states + (size_t)word * WORD_SLOTS)) == 0)
        word++;
    if (words_per_os_page > 1) {
        word -= word % words_per_os_page;
        word += random_below(&list->random, words_per_os_page);
    }
    return word < words ? word : 0;
}

uint32_t sg_central_carve(struct central_list *list, struct span *span, struct cache_entry *entries,
                          uint32_t wanted)
{
    uint32_t words = (span->slots.slot_count + WORD_SLOTS - 1) / WORD_SLOTS;
    uint32_t word = first_word(list, span, words);
    uint32_t count = 0;

    for (uint32_t i = 0; i < words && count < wanted; i++) {
        count += carve_word((struct carving){list, span}, word, entries + count, wanted - count);
        word = word + 1 == words ? 0 : word + 1;
    }
    SYNC_POINT(SYNC_HANDOVER, span);
    span->free_slots -= count;
    list->free_slots -= count;
    list->unswept -= list->unswept < count ? list->unswept : count;
    sg_central_relist(list, span);
    return count;
}
