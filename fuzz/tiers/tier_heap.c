#include "tier_heap.h"

#include "central_guard.h"
#include "central_list.h"
#include "central_state.h"
#include "content.h"
#include "laboratory.h"
#include "object_pool.h"
#include "option_table.h"
#include "os_guard.h"
#include "os_memory.h"
#include "page_cache.h"
#include "page_cache_state.h"
#include "page_map.h"
#include "paper_kernel.h"
#include "policy.h"
#include "secrets.h"
#include "span_quarantine.h"

#include <string.h>

ORACLES_BEGIN

static size_t needed_bytes; /* of records, while there is nothing */

static void set_options(const struct tier_input *input)
{
    static const uint16_t quarantines[4] = {0, 2, 32, 256};
    static const uint64_t dirty_bytes[4] = {0, 128 * KIB, 16 * KIB, 64 * MIB};
    union option_values values = {.named = sg_options};
    uint8_t choice = input->header[0];

    for (size_t i = 0; i < OPTION_COUNT; i++)
        values.each[i] = sg_option_table[i].profiles[choice % PROFILE_COUNT];
    sg_options = values.named;
    sg_options.profile = choice % PROFILE_COUNT;
    sg_options.span_quarantine = quarantines[choice / 3 % 4];
    /* More than one are drawn from a number of the process, not of the input. */
    sg_options.guard_pages = choice / 12 % 4 == 3 ? 0 : 1;
    sg_options.dirty_bytes = dirty_bytes[input->header[1] / 16 % 4];
}

static void seed_choices(uint64_t seed)
{
    sg_secrets_start(true);
    sg_quarantine_central = (struct span_quarantine){.random = {.state = {seed * 2 + 1, 7}}};
}

void tier_heap_start(const struct tier_input *input)
{
    struct paper_setup setup = {
        .memory = input->header[1] >= 240 ? PAPER_REAL : PAPER_RESIDENT,
        .start = input->header[1],
        .is_unaligned = input->header[1] / 4 % 4 == 3,
        .seed = input->seed,
    };

    laboratory_begin(&(struct laboratory_settings){
        .seed = input->seed, .base = input->seed % 4, .is_upwards = input->seed / 4 % 2});
    paper_start(setup);
    set_options(input);
    sg_os_guard_start(false, SIZE_MAX);
    seed_choices(input->seed);
    sg_policy_start();
    needed_bytes = sg_object_pool_live_bytes();
}

uint32_t tier_class_of(uint8_t place)
{
    return place * 37u % CLASS_COUNT;
}

#define FILLED_STEP_BYTES (16 * KIB)

/* Where the program may leave something: not at the edges, if those are cleared. */
static void fill_middle(char *slot, const struct class_policy *policy)
{
    size_t edge = policy->has_edges ? CONTENT_EDGE_BYTES : 0;
    size_t end = policy->slot_bytes - edge;
    size_t bytes = end - edge < 256 ? end - edge : 256;

    for (size_t i = edge; i + bytes <= end; i += FILLED_STEP_BYTES) {
        (void)paper_write((uintptr_t)slot + i, bytes);
        memset(slot + i, 0xa5, bytes);
    }
}

void tier_leave_garbage(void *slot, uint32_t class)
{
    const struct class_policy *policy = &sg_class_policy[class];

    if (class != CLASS_ZERO && !policy->is_cleared)
        fill_middle(slot, policy);
}

#define LOOKED_AT_WHOLE ((size_t)8192)

void tier_expect_clear(const void *slot, uint32_t class)
{
    const struct class_policy *policy = &sg_class_policy[class];
    bool is_whole = policy->is_cleared && policy->slot_bytes <= LOOKED_AT_WHOLE;

    if (class == CLASS_ZERO || !policy->has_edges)
        return;
    tier_expect(content_is_clear(slot, is_whole ? policy->slot_bytes : 16),
                "a free slot does not read as zero");
    if (!is_whole)
        tier_expect(content_edges_are_clear(slot, policy->slot_bytes),
                    "the edges of a free slot do not read as zero");
}

/* What all spans together must account for. */
static struct {
    size_t absent_os_pages;
    size_t guard_bytes;
    size_t spare_pages;
} sums;

static void check_given_back(const struct span *span, size_t index)
{
    size_t slot_bytes = sg_size_classes[span->slots.class].slot_bytes;
    size_t first = index * slot_bytes / PAPER_OS_PAGE_BYTES;
    size_t last = ((index + 1) * slot_bytes - 1) / PAPER_OS_PAGE_BYTES;

    for (size_t page = first; page <= last; page++)
        tier_expect((span->given_back >> page & 1) == 0,
                    "a page under a slot that is not free counts as given back");
}

static size_t count_states(const struct span *span, struct class_facts *facts)
{
    size_t free_slots = 0;

    for (size_t i = 0; i < span->slots.slot_count; i++) {
        uint8_t state = load_relaxed(&span->slots.states[i]);

        free_slots += state == SLOT_CENTRAL;
        facts->transfer_slots += state == SLOT_TRANSFER;
        facts->cached_slots += slot_state_is_cached(state);
        facts->live_slots += slot_state_is_live(state);
        if (state != SLOT_CENTRAL)
            check_given_back(span, i);
    }
    facts->free_slots += free_slots;
    return free_slots;
}

static void check_list(const struct span *span, size_t free_slots)
{
    uint32_t fullness = (uint32_t)(free_slots * (FULLNESS_LISTS - 1) / span->slots.slot_count);

    tier_expect(free_slots == span->free_slots, "a span counts its free slots wrongly");
    tier_expect(free_slots < span->slots.slot_count, "an empty span is kept");
    tier_expect(span->slots.mark == (free_slots == 0 ? MARK_UNLISTED : fullness),
                "a span is in another list than its free slots say");
}

static void check_span(const struct span *span, struct class_facts *all)
{
    struct class_facts unused = {.spans = 0};
    bool is_given_up = span->slots.mark == MARK_GIVEN_UP;
    struct class_facts *facts = is_given_up ? &unused : &all[span->slots.class];

    sums.guard_bytes += span_bytes(span) - sg_central_body_bytes(span->slots.class);
    if (span->slots.slot_count == 0) {
        sums.spare_pages += span->pages;
        return;
    }
    sg_span_check(span);
    sums.absent_os_pages += (size_t)__builtin_popcountll(span->given_back);
    size_t free_slots = count_states(span, facts);
    if (is_given_up) {
        tier_expect(free_slots == span->slots.slot_count, "a span is given up with slots in use");
        return;
    }
    facts->spans++;
    check_list(span, free_slots);
}

static void check_class(uint32_t class, const struct class_facts *facts)
{
    const struct central_list *list = &sg_central[class];
    size_t listed = 0;

    sg_central_check(class);
    for (uint32_t i = 0; i < FULLNESS_LISTS; i++)
        for (struct list_node *node = list->by_fullness[i]; node != NULL; node = node->next)
            listed += container_of(node, struct span, link)->free_slots;
    tier_expect(listed == facts->free_slots && list->free_slots == facts->free_slots,
                "free slots of a class are in no list");
    tier_expect(list->spans == facts->spans, "spans of a class are counted wrongly");
    tier_expect(list->transfer_count == facts->transfer_slots,
                "slots are in transfer by their state only, or without it");
}

/* The limit of dirty memory tells how much memory in use is thought to be absent. */
static void check_sums(void)
{
    size_t absent_pages = sums.absent_os_pages * PAPER_OS_PAGE_BYTES / PAGE_BYTES;
    size_t used = sg_page_cache.used_pages;
    size_t limit = sg_page_cache_dirty_limit() - sg_page_cache.credit_pages;

    tier_expect(sums.guard_bytes == sg_central_guard_bytes(), "guards are counted wrongly");
    if (sg_options.dirty_bytes == 0)
        tier_expect(limit == (absent_pages < used ? (used - absent_pages) / 8 : 0),
                    "pages without memory are counted wrongly");
}

void tier_heap_check(struct class_facts ret_facts[CLASS_COUNT])
{
    uintptr_t page = paper_first();

    memset(ret_facts, 0, CLASS_COUNT * sizeof(*ret_facts));
    memset(&sums, 0, sizeof(sums));
    sg_page_cache_check();
    while (page < paper_end()) {
        const struct span *span = page_map_lookup(page);

        if (span != NULL && span->slots.owner == SPAN_CENTRAL)
            check_span(span, ret_facts);
        page += span == NULL ? PAPER_OS_PAGE_BYTES : span_bytes(span);
    }
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        if (sg_central_is_used(class))
            check_class(class, &ret_facts[class]);
    check_sums();
}

static void reset_class(uint32_t class)
{
    struct central_list *list = &sg_central[class];
    size_t slots = (size_t)TRANSFER_BATCHES * sg_size_classes[class].batch;

    if (list->transfer != NULL)
        sg_object_pool_give(list->transfer, slots * sizeof(*list->transfer));
    *list = (struct central_list){.transfer = NULL};
}

/* All runs, and the spans that wait for their class. */
static void reset_spans(void)
{
    for (uintptr_t page = paper_first(); page < paper_end();) {
        struct span *span = page_map_lookup(page);
        size_t bytes = span == NULL ? PAPER_OS_PAGE_BYTES : span_bytes(span);

        if (span != NULL && span->slots.owner == SPAN_CENTRAL)
            sg_central_note_guard(-(long)(bytes - sg_central_body_bytes(span->slots.class)));
        if (span != NULL) {
            sg_span_destroy(span);
            sg_page_map_set(page, bytes / PAGE_BYTES, NULL);
        }
        page += bytes;
    }
    memset(&sg_page_cache, 0, sizeof(sg_page_cache));
}

void tier_heap_end(void)
{
    struct class_facts facts[CLASS_COUNT];

    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        sg_central_trim(class);
    sg_central_quarantine_drain();
    paper.fail_mmap_in = 0;
    paper.fail_advice_in = 0;
    (void)sg_page_cache_trim(0);
    tier_heap_check(facts);
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        tier_expect(facts[class].spans == 0, "in the end a class has spans");
    tier_expect(sg_page_cache.used_pages == sums.spare_pages, "in the end pages are in use");
    tier_expect(sums.absent_os_pages == 0, "in the end pages are absent");
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        reset_class(class);
    reset_spans();
    tier_expect(sg_object_pool_live_bytes() == needed_bytes, "records leak");
}

ORACLES_END
