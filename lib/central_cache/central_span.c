/* Birth, carving and death of the spans of a class. */
#include "bits.h"
#include "central_state.h"
#include "object_pool.h"
#include "os_memory.h"
#include "page_cache.h"

/* States are read eight at a time; what lies behind the last one must not look free. */
#define WORD_SLOTS 8u
#define NOT_FREE 0xff

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
    return (slot_state_byte *)states;
}

static size_t span_pages_of(uint32_t class, size_t *ret_alignment_pages)
{
    size_t pages = sg_size_classes[class].span_pages;
    size_t os_pages = sg_os_page_bytes / PAGE_BYTES;

    *ret_alignment_pages = size_class_span_alignment_pages(class);
    if (class == CLASS_ZERO && os_pages > 1) { /* access is taken away by OS pages */
        *ret_alignment_pages = os_pages;
        return os_pages;
    }
    return pages;
}

struct span *sg_central_span_create(uint32_t class)
{
    const struct size_class *info = &sg_size_classes[class];
    size_t alignment_pages;
    size_t pages = span_pages_of(class, &alignment_pages);
    bool zeroed;
    slot_state_byte *states = states_create(class);

    if (states == NULL)
        return NULL;

    struct span *span = sg_page_cache_take(pages, alignment_pages, SPAN_CENTRAL, &zeroed);
    if (span != NULL && class == CLASS_ZERO &&
        !sg_os_forbid((void *)span->slots.base, span_bytes(span))) {
        sg_page_cache_give(span, false); /* fail closed: never an address that can be written */
        span = NULL;
    }
    if (span == NULL) {
        sg_object_pool_give((void *)states, states_bytes(class));
        return NULL;
    }
    span->slots.inverse = info->inverse;
    span->slots.rotation = info->rotation;
    span->slots.states = states;
    span->slots.class = (uint8_t)class;
    span->slots.mark = MARK_UNLISTED;
    span->given_back = 0;
    span->free_slots = info->slot_count;
    span->slots.slot_count = info->slot_count;
    return span;
}

static void release(struct span *span)
{
    uint32_t class = span->slots.class;
    slot_state_byte *states = span->slots.states;
    bool zeroed = false;

    if (class == CLASS_ZERO) {
        /* Cannot be opened again (vm.max_map_count): the addresses are lost, nothing else. */
        if (!sg_os_allow((void *)span->slots.base, span_bytes(span)))
            return;
        zeroed = true;
    }
    sg_page_cache_give(span, zeroed);
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

/* The OS pages under the slot have memory again as soon as it is touched. True if a sweep had
 * given some of it back. */
static bool note_taken(struct span *span, uint32_t index)
{
    uint64_t before = span->given_back;
    size_t slot_bytes = sg_size_classes[span->slots.class].slot_bytes;
    size_t first = index * slot_bytes / sg_os_page_bytes;
    size_t last = ((index + 1) * slot_bytes - 1) / sg_os_page_bytes;

    for (size_t page = first; page <= last; page++)
        span->given_back &= ~((uint64_t)1 << page);
    return span->given_back != before;
}

static uint32_t carve_word(struct central_list *list, struct span *span, uint32_t word,
                           struct cache_entry *entries, uint32_t wanted)
{
    size_t slot_bytes = sg_size_classes[span->slots.class].slot_bytes;
    slot_state_byte *states = span->slots.states + word * WORD_SLOTS;
    uint32_t count = 0;

    for (uint64_t bits = zero_bytes(load_states(states)); bits != 0 && count < wanted;
         bits &= bits - 1) {
        uint32_t offset = (uint32_t)__builtin_ctzll(bits) / 8;
        uint32_t index = word * WORD_SLOTS + offset;

        store_relaxed(&states[offset], SLOT_CACHED);
        entries[count].slot = (void *)(span->slots.base + index * slot_bytes);
        entries[count].state = &states[offset];
        count++;
        if (UNLIKELY(span->given_back != 0) && note_taken(span, index))
            sg_central_note_regret(list);
    }
    return count;
}

uint32_t sg_central_carve(struct central_list *list, struct span *span,
                          struct cache_entry *entries, uint32_t wanted)
{
    uint32_t words = (span->slots.slot_count + WORD_SLOTS - 1) / WORD_SLOTS;
    uint32_t word = random_below(&list->random, words);
    uint32_t count = 0;

    for (uint32_t i = 0; i < words && count < wanted; i++) {
        count += carve_word(list, span, word, entries + count, wanted - count);
        word = word + 1 == words ? 0 : word + 1;
    }
    span->free_slots -= count;
    list->free_slots -= count;
    sg_central_relist(list, span);
    return count;
}
