/* Birth, carving and death of the spans of a class. */
#include "bits.h"
#include "central_guard.h"
#include "central_list.h"
#include "central_state.h"
#include "object_pool.h"
#include "options.h"
#include "os_guard.h"
#include "os_memory.h"
#include "page_cache.h"
#include "policy.h"
#include "span_quarantine.h"
#include "sync_point.h"
#include "without.h"

#define QUARANTINE_BYTES_EACH (8 * KIB) /* on average, of the spans in quarantine */

/* States are read eight at a time; what lies behind the last one must not look free. */
#define NOT_FREE 0xff

/* With the word of central_raw_pages(). */
static size_t states_bytes(uint32_t class)
{
    return align_up(sg_size_classes[class].slot_count, WORD_SLOTS) + sizeof(uint64_t);
}

static slot_state_byte *states_create(uint32_t class)
{
    size_t slot_count = sg_size_classes[class].slot_count;
    uint8_t *states = sg_object_pool_take(states_bytes(class));

    if (states == NULL)
        return NULL;
    __builtin_memset(states, SLOT_CENTRAL, slot_count);
    __builtin_memset(states + slot_count, NOT_FREE, states_bytes(class) - slot_count);
    __builtin_memset(states + states_bytes(class) - sizeof(uint64_t), 0, sizeof(uint64_t));
    ANNOTATE_ATOMIC(states, states_bytes(class));
    return (slot_state_byte *)states;
}

/* Access is taken away from whole OS pages, so a span of class 0 has no others. */
static bool takes_os_pages(uint32_t class)
{
    return class == CLASS_ZERO && sg_os_page_bytes > PAGE_BYTES;
}

size_t sg_central_body_bytes(uint32_t class)
{
    return takes_os_pages(class) ? sg_os_page_bytes
                                 : sg_size_classes[class].span_pages * PAGE_BYTES;
}

static size_t span_alignment_pages(uint32_t class)
{
    return takes_os_pages(class) ? sg_os_page_bytes / PAGE_BYTES
                                 : size_class_span_alignment_pages(class);
}

/* All of a span, unless OS pages are shared with other spans. */
static uint64_t all_pages(const struct span *span)
{
    size_t count = sg_central_body_bytes(span->slots.class) / sg_os_page_bytes;

    if (count == 0 || span->slots.base % sg_os_page_bytes != 0)
        return 0;
    return ~(uint64_t)0 >> (64 - count);
}

/* The slots lie in memory that others used before, and free slots promise zeroes: they get them
 * page by page, when the first slot there is handed out. Much of it may never be touched. */
static void clear_body(const struct span *span)
{
    const struct class_policy *policy = &sg_class_policy[span->slots.class];

    if (!policy->has_edges)
        return;
    size_t bytes = sg_central_body_bytes(span->slots.class);
    if (bytes % sg_os_page_bytes == 0)
        *central_raw_pages(span) = all_pages(span);
    if (*central_raw_pages(span) == 0)
        __builtin_memset((void *)span->slots.base, 0, bytes);
}

/* Ready for its slots, of which there are none yet. */
static struct span *take_body(uint32_t class, bool *ret_zeroed)
{
    struct span *span = sg_central_spare_take(class);

    if (span != NULL) {
        *ret_zeroed = true;
        return span;
    }
    size_t body_pages = sg_central_body_bytes(class) / PAGE_BYTES;
    struct page_request request = {
        .pages = body_pages,
        .guard_pages = sg_central_guard_pages(class, body_pages, span_alignment_pages(class)),
        .alignment_pages = span_alignment_pages(class),
        .owner = SPAN_CENTRAL};

    span = sg_page_cache_take(request, ret_zeroed);
    if (span != NULL)
        sg_central_note_guard((long)(request.guard_pages * PAGE_BYTES));
    return span;
}

/* Fail closed: never an address of malloc(0) that can be written. Some pages may be forbidden;
 * where that cannot be undone the addresses are lost. */
static bool close_body(struct span *span, uint32_t class)
{
    if (SG_WITHOUT_MALLOC_ZERO || class != CLASS_ZERO ||
        sg_os_forbid_beyond_budget((void *)span->slots.base, sg_central_body_bytes(class)))
        return true;
    if (sg_os_allow((void *)span->slots.base, span_bytes(span)))
        sg_page_cache_give(span, false, span->pages);
    return false;
}

struct span *sg_central_span_create(uint32_t class)
{
    const struct size_class *info = &sg_size_classes[class];
    bool zeroed;
    slot_state_byte *states = states_create(class);

    if (states == NULL)
        return NULL;

    struct span *span = take_body(class, &zeroed);
    if (span == NULL || !close_body(span, class)) {
        sg_object_pool_give((void *)states, states_bytes(class));
        return NULL;
    }
    span->slots.inverse = info->inverse;
    span->slots.rotation = info->rotation;
    span->slots.states = states;
    span->slots.class = (uint8_t) class;
    span->slots.mark = MARK_UNLISTED;
    span->given_back = zeroed ? all_pages(span) : 0;
    sg_page_cache_note_absent(__builtin_popcountll(span->given_back));
    span->free_slots = info->slot_count;
    SYNC_POINT(SYNC_PUBLISH, span);
    span->slots.slot_count = info->slot_count;
    SYNC_POINT(SYNC_PUBLISH, span);
    if (!zeroed)
        clear_body(span);
    return span;
}

static void release(struct span *span)
{
    uint32_t class = span->slots.class;
    slot_state_byte *states = span->slots.states;
    size_t open_pages;

    sg_page_cache_note_absent(-(long)__builtin_popcountll(span->given_back));
    if (!sg_central_spare_give(span, &open_pages)) {
        sg_central_note_guard(-(long)(span_bytes(span) - sg_central_body_bytes(class)));
        sg_page_cache_give(span, false, open_pages);
    }
    SYNC_POINT(SYNC_HANDOVER, states);
    sg_object_pool_give((void *)states, states_bytes(class));
}

/* What quarantined spans hold counts for nothing else: an eighth of what the dirty runs may. */
static void evict(uint32_t spans, size_t bytes)
{
    struct span *span;

    while ((span = sg_span_quarantine_evict(&sg_quarantine_central, spans, bytes)) != NULL)
        release(span);
}

void sg_central_quarantine_drain(void)
{
    evict(0, 0);
}

void sg_central_spans_release(struct span *chain)
{
    while (chain != NULL) {
        struct span *span = chain;

        chain = span->link.next == NULL ? NULL : container_of(span->link.next, struct span, link);
        SYNC_POINT(SYNC_HANDOVER, span);
        span->slots.mark = MARK_GIVEN_UP;
        if (!sg_span_quarantine_put(&sg_quarantine_central, span, false))
            release(span);
        evict((uint32_t)sg_options.span_quarantine,
              sg_options.span_quarantine * QUARANTINE_BYTES_EACH);
    }
}
