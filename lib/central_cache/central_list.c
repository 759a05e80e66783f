#include "central_list.h"

#include "central_state.h"
#include "object_pool.h"
#include "page_map.h"
#include "policy.h"
#include "report.h"
#include "secrets.h"
#include "sync_point.h"

COLD_ZEROES struct central_list sg_central[CLASS_COUNT];

struct lock *sg_central_lock(uint32_t class)
{
    return &sg_central[class].lock;
}

bool sg_central_is_used(uint32_t class)
{
    return load_relaxed(&sg_central[class].is_used);
}

static void lock(struct central_list *list, uint32_t class)
{
    lock_acquire(&list->lock, RANK_CENTRAL_LIST);
    if (UNLIKELY(!load_relaxed(&list->is_used))) {
        list->random = sg_secrets_random(SECRETS_CLASS + class + 1);
        SYNC_POINT(SYNC_PUBLISH, list);
        store_relaxed(&list->is_used, true);
    }
}

static void unlock(struct central_list *list)
{
    lock_release(&list->lock, RANK_CENTRAL_LIST);
}

void sg_central_unlist(struct central_list *list, struct span *span)
{
    if (span->slots.mark < FULLNESS_LISTS)
        list_unlink(&list->by_fullness[span->slots.mark], &span->link);
    span->slots.mark = MARK_UNLISTED;
}

void sg_central_relist(struct central_list *list, struct span *span)
{
    uint32_t fullness = span->free_slots * (FULLNESS_LISTS - 1) / span->slots.slot_count;
    uint8_t mark = span->free_slots == 0 ? MARK_UNLISTED : (uint8_t)fullness;

    if (mark == span->slots.mark)
        return;
    sg_central_unlist(list, span);
    if (mark != MARK_UNLISTED)
        list_push(&list->by_fullness[mark], &span->link);
    span->slots.mark = mark;
}

static struct span *fullest(const struct central_list *list)
{
    for (uint32_t i = 0; i < FULLNESS_LISTS; i++)
        if (list->by_fullness[i] != NULL)
            return container_of(list->by_fullness[i], struct span, link);
    return NULL;
}

void sg_central_report(uint32_t class, const struct free_slot *free_slot, const char *function)
{
    struct misuse misuse = {
        .kind = free_slot == NULL ? MISUSE_ENTRY : MISUSE_CACHED_SLOT,
        .function = function,
        .block_bytes = policy_usable_bytes(class),
        .class = class,
    };

    sg_report_misuse(&misuse);
}

static struct free_slot decode(uint32_t class, const struct cache_entry *entry)
{
    struct free_slot free_slot;

    if (UNLIKELY(!entry_decode(entry, &free_slot)))
        sg_central_report(class, NULL, "free");
    return free_slot;
}

/* The last ones in: their memory is the most likely to be in a cache of the processor. */
static uint32_t take_transfer(uint32_t class, struct cache_entry *entries, uint32_t wanted)
{
    struct central_list *list = &sg_central[class];
    uint32_t count = list->transfer_count < wanted ? list->transfer_count : wanted;

    list->transfer_count -= count;
    SYNC_POINT(SYNC_HANDOVER, list);
    for (uint32_t i = 0; i < count; i++) {
        struct free_slot free_slot = decode(class, &list->transfer[list->transfer_count + i]);

        store_relaxed(free_slot.state, SLOT_CACHED);
        entry_encode(&entries[i], free_slot.slot, free_slot.state);
    }
    return count;
}

/* A thread cache hands out from the end: so that neighbours in memory are handed out one after the
 * other and upwards, as a program that walks what it just built will touch them. */
static void reverse(struct cache_entry *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count / 2; i++) {
        struct cache_entry entry;

        entry_move(&entry, &entries[i]);
        entry_move(&entries[i], &entries[count - 1 - i]);
        entry_move(&entries[count - 1 - i], &entry);
    }
}

uint32_t sg_central_take(uint32_t class, struct cache_entry *entries, uint32_t wanted)
{
    struct central_list *list = &sg_central[class];

    lock(list, class);
    list->gives_in_row = 0;
    if (list->takes < TRANSFER_TAKES_MIN)
        list->takes++;
    uint32_t count = take_transfer(class, entries, wanted);
    while (count < wanted) {
        struct span *span = fullest(list);

        if (span == NULL) {
            if (count > 0)
                break; /* some now are better than a system call for more */
            unlock(list);
            span = sg_central_span_create(class);
            lock(list, class);
            if (span == NULL)
                break;
            list->spans++;
            list->free_slots += span->free_slots;
            sg_central_relist(list, span);
        }
        uint32_t carved = sg_central_carve(list, span, entries + count, wanted - count);
        struct free_slot wrong = {NULL, NULL};

        if (UNLIKELY(carved == 0)) /* fewer are free than were counted: one was freed twice */
            sg_central_report(class, &wrong, "malloc");
        count += carved;
    }
    unlock(list);
    reverse(entries, count);
    return count;
}

static bool to_transfer(uint32_t class, struct free_slot free_slot)
{
    struct central_list *list = &sg_central[class];
    uint32_t limit = TRANSFER_BATCHES * sg_size_classes[class].batch;

    if (list->transfer == NULL || list->transfer_count >= limit ||
        list->gives_in_row > TRANSFER_BATCHES)
        return false;
    store_relaxed(free_slot.state, SLOT_TRANSFER);
    entry_encode(&list->transfer[list->transfer_count++], free_slot.slot, free_slot.state);
    return true;
}

/* The span of a slot that comes back, or NULL if the entry does not say the truth. */
static struct span *span_of(uint32_t class, struct free_slot free_slot)
{
    struct span *span = page_map_lookup((uintptr_t)free_slot.slot);

    if (span == NULL || span->slots.class != class || span->slots.owner != SPAN_CENTRAL ||
        span->slots.mark == MARK_GIVEN_UP)
        return NULL;
    return slot_state_of(&span->slots, free_slot.slot) == free_slot.state ? span : NULL;
}

void sg_central_require_empty(const struct span *span)
{
    const slot_state_byte *states = span->slots.states;
    struct free_slot wrong = {NULL, NULL};
    uint64_t seen = 0;

    for (uint32_t i = 0; i + WORD_SLOTS <= span->slots.slot_count; i += WORD_SLOTS)
        seen |= __atomic_load_n((const uint64_t *)(const void *)&states[i], __ATOMIC_RELAXED);
    for (uint32_t i = span->slots.slot_count & ~(WORD_SLOTS - 1); i < span->slots.slot_count; i++)
        seen |= load_relaxed(&states[i]);
    static_assert(SLOT_CENTRAL == 0, "a word of free slots is zero");
    if (UNLIKELY(seen != 0))
        sg_central_report(span->slots.class, &wrong, "free");
}

/* Adds the span to `*empty` if this was its last live slot. */
static void to_span(struct central_list *list, struct span *span, slot_state_byte *state,
                    struct span **empty)
{
    SYNC_POINT(SYNC_HANDOVER, state);
    store_relaxed(state, SLOT_CENTRAL);
    span->free_slots++;
    list->free_slots++;
    list->unswept++;
    if (span->slots.mark == MARK_SWEPT)
        return; /* the sweep puts it where it belongs */
    if (span->free_slots < span->slots.slot_count) {
        sg_central_relist(list, span);
        return;
    }
    sg_central_require_empty(span);
    sg_central_unlist(list, span);
    list->free_slots -= span->free_slots;
    list->spans--;
    span->link.next = *empty == NULL ? NULL : &(*empty)->link;
    *empty = span;
}

/* What waits in transfer goes back to its spans: each slot there holds the span around it. */
static void spill_transfer(struct central_list *list, uint32_t class, struct span **empty)
{
    while (list->transfer_count > 0) {
        struct free_slot free_slot = decode(class, &list->transfer[--list->transfer_count]);
        struct span *span = span_of(class, free_slot);

        SYNC_POINT(SYNC_HANDOVER, list);
        if (span != NULL)
            to_span(list, span, free_slot.state, empty);
    }
}

/* The array is made once the class is asked for often; going without is slower, not wrong. */
static void prepare_transfer(struct central_list *list, uint32_t class)
{
    size_t slots = (size_t)TRANSFER_BATCHES * sg_size_classes[class].batch;

    if (list->transfer == NULL && list->takes >= TRANSFER_TAKES_MIN)
        list->transfer = sg_object_pool_take(slots * sizeof(struct cache_entry));
}

void sg_central_give(uint32_t class, const struct cache_entry *entries, uint32_t count)
{
    struct central_list *list = &sg_central[class];
    struct span *empty = NULL;
    struct free_slot wrong = {NULL, NULL};

    lock(list, class);
    prepare_transfer(list, class);
    if (list->gives_in_row <= TRANSFER_BATCHES)
        list->gives_in_row++;
    if (list->gives_in_row > TRANSFER_BATCHES)
        spill_transfer(list, class, &empty);
    for (uint32_t i = 0; i < count && wrong.slot == NULL; i++) {
        struct free_slot free_slot = decode(class, &entries[i]);
        struct span *span = NULL;

        /* From CACHED to another state only here, under the lock, so it happens once. */
        if (!slot_state_is_cached(load_relaxed(free_slot.state)))
            wrong = free_slot;
        else if (to_transfer(class, free_slot))
            continue;
        else if ((span = span_of(class, free_slot)) == NULL)
            wrong = free_slot;
        else
            to_span(list, span, free_slot.state, &empty);
    }
    if (sg_central_sweep_is_due(list, class))
        empty = sg_central_sweep(list, class, empty);
    unlock(list);
    if (wrong.slot != NULL)
        sg_central_report(class, &wrong, "free");
    sg_central_spans_release(empty);
}

void sg_central_trim(uint32_t class)
{
    struct central_list *list = &sg_central[class];
    struct span *empty = NULL;

    if (!sg_central_is_used(class))
        return;
    lock(list, class);
    spill_transfer(list, class, &empty);
    unlock(list);
    sg_central_spans_release(empty);

    lock(list, class);
    empty = sg_central_sweep(list, class, NULL);
    unlock(list);
    sg_central_spans_release(empty);
}

void sg_central_statistics(uint32_t class, struct central_statistics *ret_statistics)
{
    struct central_list *list = &sg_central[class];

    *ret_statistics = (struct central_statistics){.span_bytes = 0};
    if (!sg_central_is_used(class))
        return;
    lock(list, class);
    *ret_statistics = (struct central_statistics){
        .span_bytes = (size_t)list->spans * sg_central_body_bytes(class),
        .carved_slots = (size_t)list->spans * sg_size_classes[class].slot_count,
        .free_slots = list->free_slots,
        .transfer_slots = list->transfer_count,
    };
    unlock(list);
}

void sg_central_after_fork(uint32_t class)
{
    sg_central[class].is_sweeping = false;
}

void sg_central_rebuild_begin(uint32_t class)
{
    struct central_list *list = &sg_central[class];

    for (uint32_t i = 0; i < FULLNESS_LISTS; i++)
        list->by_fullness[i] = NULL;
    list->transfer_count = 0; /* its slots are lost: nobody counts them any more */
    list->spare = NULL;
    list->free_slots = 0;
    list->spans = 0;
}

static uint32_t count_free(const struct span *span)
{
    uint32_t free_slots = 0;

    for (uint32_t i = 0; i < span->slots.slot_count; i++)
        free_slots += load_relaxed(&span->slots.states[i]) == SLOT_CENTRAL;
    return free_slots;
}

void sg_central_rebuild_add(struct span *span)
{
    struct central_list *list = &sg_central[span->slots.class];

    if (span->slots.mark == MARK_GIVEN_UP || span->slots.slot_count == 0)
        return; /* the quarantine holds it, or who was making it */
    span->free_slots = count_free(span);
    span->slots.mark = MARK_UNLISTED;
    list->free_slots += span->free_slots;
    list->spans++;
    sg_central_relist(list, span);
}

static void check_span(const struct span *span)
{
    sg_span_check(span);
    ASSERT(count_free(span) == span->free_slots);
}

void sg_central_check(uint32_t class)
{
    if (!SG_DEBUG_CHECKS || !sg_central_is_used(class))
        return;

    struct central_list *list = &sg_central[class];

    size_t free_slots = 0;

    lock(list, class);
    for (uint32_t i = 0; i < FULLNESS_LISTS; i++)
        for (struct list_node *node = list->by_fullness[i]; node != NULL; node = node->next) {
            const struct span *span = container_of(node, struct span, link);

            check_span(span);
            free_slots += span->free_slots;
        }
    /* A span with free slots that is in no list would be missing. */
    ASSERT(list->is_sweeping || free_slots == list->free_slots);
    unlock(list);
}
