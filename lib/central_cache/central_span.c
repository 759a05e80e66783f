/* Birth, carving and death of the spans of a class. */
#include "bits.h"
#include "central_state.h"
#include "object_pool.h"
#include "os_memory.h"
#include "page_cache.h"

/* States are read eight at a time; what lies behind the last one must not look free. */
#define WORD_SLOTS 8u
#define NOT_FREE 0xff

/* calloc spares itself the zeroes from here on. Beyond the sizes of the fast path, which knows
 * only one state of a cached slot. */
#define ZERO_SLOT_BYTES_MIN 4096u
static_assert(ZERO_SLOT_BYTES_MIN > CLASS_DIRECT_MAX_BYTES, "fast_allocate() sees CACHED only");

static size_t states_bytes(uint32_t class)
{
    return align_up(sg_size_classes[class].slot_count, WORD_SLOTS);
}

static slot_state_byte *states_create(uint32_t class)
{
    size_t slot_count = sg_size_classes[class].slot_count;
    uint8_t *states = sg_object_pool_take(states_bytes(class));

    if (states == NULL)
        return NULL;
    __builtin_memset(states, SLOT_CENTRAL, slot_count);
    __builtin_memset(states + slot_count, NOT_FREE, states_bytes(class) - slot_count);
    ANNOTATE_ATOMIC(states, states_bytes(class));
    return (slot_state_byte *)states;
}

/* Access is taken away from whole OS pages, so a span of class 0 has no others. */
static bool takes_os_pages(uint32_t class)
{
    return class == CLASS_ZERO && sg_os_page_bytes > PAGE_BYTES;
}

size_t sg_central_span_pages(uint32_t class)
{
    return takes_os_pages(class) ? sg_os_page_bytes / PAGE_BYTES
                                 : sg_size_classes[class].span_pages;
}

static size_t span_alignment_pages(uint32_t class)
{
    return takes_os_pages(class) ? sg_os_page_bytes / PAGE_BYTES
                                 : size_class_span_alignment_pages(class);
}

/* Of a span from a clean run: all of them, unless OS pages are shared with other spans. */
static uint64_t pages_without_memory(const struct span *span)
{
    size_t count = span_bytes(span) / sg_os_page_bytes;

    if (count == 0 || span->slots.base % sg_os_page_bytes != 0)
        return 0;
    return ~(uint64_t)0 >> (64 - count);
}

struct span *sg_central_span_create(uint32_t class)
{
    const struct size_class *info = &sg_size_classes[class];
    bool zeroed;
    slot_state_byte *states = states_create(class);

    if (states == NULL)
        return NULL;

    struct span *span = sg_page_cache_take(sg_central_span_pages(class),
                                           span_alignment_pages(class), SPAN_CENTRAL, &zeroed);
    if (span != NULL && class == CLASS_ZERO &&
        !sg_os_forbid((void *)span->slots.base, span_bytes(span))) {
        /* Fail closed: never an address that can be written. Some pages may be forbidden; where
         * that cannot be undone the addresses are lost. */
        if (sg_os_allow((void *)span->slots.base, span_bytes(span)))
            sg_page_cache_give(span, false);
        span = NULL;
    }
    if (span == NULL) {
        sg_object_pool_give((void *)states, states_bytes(class));
        return NULL;
    }
    span->slots.inverse = info->inverse;
    span->slots.rotation = info->rotation;
    span->slots.states = states;
    span->slots.class = (uint8_t) class;
    span->slots.mark = MARK_UNLISTED;
    span->given_back = zeroed ? pages_without_memory(span) : 0;
    sg_page_cache_note_absent(__builtin_popcountll(span->given_back));
    span->free_slots = info->slot_count;
    span->slots.slot_count = info->slot_count;
    return span;
}

static void release(struct span *span)
{
    uint32_t class = span->slots.class;
    slot_state_byte *states = span->slots.states;

    /* Cannot be opened again (vm.max_map_count): the addresses are lost, nothing else. */
    if (class == CLASS_ZERO && !sg_os_allow((void *)span->slots.base, span_bytes(span)))
        return;
    sg_page_cache_note_absent(-(long)__builtin_popcountll(span->given_back));
    sg_page_cache_give(span, false);
    sg_object_pool_give((void *)states, states_bytes(class));
}

void sg_central_spans_release(struct span *chain)
{
    while (chain != NULL) {
        struct span *span = chain;

        chain = span->link.next == NULL ? NULL : container_of(span->link.next, struct span, link);
        release(span);
    }
}

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
    return (before & pages) == pages && slot_bytes >= ZERO_SLOT_BYTES_MIN ? SLOT_CACHED_ZERO
                                                                          : SLOT_CACHED;
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
        entries[count].slot = (void *)(span->slots.base + index * slot_bytes);
        entries[count].state = &states[offset];
        count++;
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
    span->free_slots -= count;
    list->free_slots -= count;
    list->unswept -= list->unswept < count ? list->unswept : count;
    sg_central_relist(list, span);
    return count;
}
