/* Memory around survivors: an OS page whose slots are all free gives its memory back although its
 * span lives on. Possible because nothing of ours lies in freed memory.
 *
 * A sweep looks at every span of a class that may hold such a page, so it waits until as many slots
 * have come back since the last one as an eighth of the live ones, and SWEEP_BYTES_MIN. As in
 * page_purge.c, slots that are asked for again within REGRET_MS may stay free on top from then on
 * (credit), and a sweep that nobody regrets takes a quarter of the credit away. */
#include "bits.h"
#include "central_state.h"
#include "os_memory.h"
#include "page_cache.h"
#include "sync_point.h"

#define SWEEP_BYTES_MIN (512 * KIB)
#define CREDIT_BYTES_MAX (64 * MIB)
#define REGRET_MS 100u

void sg_central_note_regret(struct central_list *list)
{
    list->regretted++;
}

/* Settles the account of the last sweep, before the next. */
static void settle(struct central_list *list, uint32_t class)
{
    size_t credit_max = CREDIT_BYTES_MAX / sg_size_classes[class].slot_bytes;
    uint64_t now = sg_os_milliseconds();

    if (list->regretted > 0 && now - list->last_sweep_ms <= REGRET_MS)
        list->sweep_credit += list->regretted;
    else
        list->sweep_credit -= (list->sweep_credit + 3) / 4;
    if (list->sweep_credit > credit_max)
        list->sweep_credit = credit_max;
    list->regretted = 0;
    list->last_sweep_ms = now;
}

bool sg_central_sweep_is_due(const struct central_list *list, uint32_t class)
{
    const struct size_class *info = &sg_size_classes[class];
    size_t live = (size_t)list->spans * info->slot_count - list->free_slots;
    size_t step = SWEEP_BYTES_MIN / info->slot_bytes + 1;

    if (live / 8 > step)
        step = live / 8;
    return list->unswept >= step + list->sweep_credit && !list->is_sweeping;
}

static bool all_free(const struct span *span, uintptr_t from, uintptr_t end)
{
    size_t slot_bytes = sg_size_classes[span->slots.class].slot_bytes;
    size_t first = (from - span->slots.base) / slot_bytes;
    size_t last = (end - 1 - span->slots.base) / slot_bytes;

    if (last >= span->slots.slot_count)
        last = span->slots.slot_count - 1;
    for (size_t i = first; i <= last; i++)
        if (load_relaxed(&span->slots.states[i]) != SLOT_CENTRAL)
            return false;
    return true;
}

static uint64_t pages_mask(size_t first, size_t end)
{
    uint64_t below_end = end >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << end) - 1;

    return below_end & ~(((uint64_t)1 << first) - 1);
}

/* The OS pages [first, end) go back in one call. Returns them, or none if the kernel refuses:
 * given_back promises zeroes, so it must not say more than happened. */
static uint64_t give_run_back(const struct span *span, size_t first, size_t end)
{
    void *address = (void *)(span->slots.base + first * sg_os_page_bytes);

    if (first == end || !sg_os_purge(address, (end - first) * sg_os_page_bytes))
        return 0;
    return pages_mask(first, end);
}

/* Without the lock: the span is in no list, so nobody takes a slot of it; one that comes back
 * only adds free ones. Neighbouring pages go in one call. Returns the pages without memory. */
static uint64_t give_pages_back(const struct span *span)
{
    size_t os_page = sg_os_page_bytes;
    size_t count = sg_central_body_bytes(span->slots.class) / os_page;
    uint64_t given = span->given_back;
    size_t run = 0; /* pages [run, page) are to go */

    if (span->slots.base % os_page != 0)
        return given; /* OS pages larger than ours: the span shares them with others */
    for (size_t page = 0; page < count; page++) {
        uintptr_t from = span->slots.base + page * os_page;

        SYNC_POINT(SYNC_READ, span);
        if ((given >> page & 1) == 0 && all_free(span, from, from + os_page))
            continue;
        given |= give_run_back(span, run, page);
        run = page + 1;
    }
    return given | give_run_back(span, run, count);
}

static void note_given_back(struct span *span, uint64_t given)
{
    SYNC_POINT(SYNC_PUBLISH, span);
    sg_page_cache_note_absent(__builtin_popcountll(given) - __builtin_popcountll(span->given_back));
    span->given_back = given;
}

/* Takes a whole list out: while its memory goes back nobody may take a slot of it. */
static struct span *detach(struct central_list *list, uint32_t fullness)
{
    struct list_node *first = list->by_fullness[fullness];

    list->by_fullness[fullness] = NULL;
    for (struct list_node *node = first; node != NULL; node = node->next)
        container_of(node, struct span, link)->slots.mark = MARK_SWEPT;
    return first == NULL ? NULL : container_of(first, struct span, link);
}

static struct span *next_of(const struct span *span)
{
    return span->link.next == NULL ? NULL : container_of(span->link.next, struct span, link);
}

/* Puts the spans back; those that became empty meanwhile are chained in front of `empty`. */
static struct span *attach(struct central_list *list, struct span *chain, struct span *empty)
{
    while (chain != NULL) {
        struct span *span = chain;

        chain = next_of(span);
        span->slots.mark = MARK_UNLISTED;
        if (span->free_slots < span->slots.slot_count) {
            sg_central_relist(list, span);
            continue;
        }
        sg_central_require_empty(span);
        list->free_slots -= span->free_slots;
        list->spans--;
        span->link.next = empty == NULL ? NULL : &empty->link;
        empty = span;
    }
    return empty;
}

/* The first list whose spans have enough free slots to cover an OS page. */
static uint32_t first_worth_looking_at(uint32_t class)
{
    const struct size_class *info = &sg_size_classes[class];
    size_t needed = (sg_os_page_bytes + info->slot_bytes - 1) / info->slot_bytes;
    size_t fullness = needed * (FULLNESS_LISTS - 1) / info->slot_count;

    return fullness < FULLNESS_LISTS ? (uint32_t)fullness : FULLNESS_LISTS;
}

struct span *sg_central_sweep(struct central_list *list, uint32_t class, struct span *empty)
{
    settle(list, class);
    list->unswept = 0;
    list->is_sweeping = true;
    for (uint32_t i = first_worth_looking_at(class); i < FULLNESS_LISTS; i++) {
        struct span *chain = detach(list, i);

        if (chain == NULL || class == CLASS_ZERO) {
            empty = attach(list, chain, empty);
            continue;
        }
        lock_release(&list->lock, RANK_CENTRAL_LIST);
        for (struct span *span = chain; span != NULL; span = next_of(span))
            note_given_back(span, give_pages_back(span));
        lock_acquire(&list->lock, RANK_CENTRAL_LIST);
        empty = attach(list, chain, empty);
    }
    list->is_sweeping = false;
    return empty;
}
