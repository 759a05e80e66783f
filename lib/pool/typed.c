#include "typed.h"

#include "bits.h"
#include "checked_slot.h"
#include "object_pool.h"
#include "options.h"
#include "os_guard.h"
#include "os_memory.h"
#include "typed_state.h"

static _Atomic size_t live_bytes; /* relaxed: a statistic */

static size_t body_bytes(uint32_t class)
{
    return align_up(sg_size_classes[class].span_pages * PAGE_BYTES, sg_os_page_bytes);
}

/* Behind a new span of the class: none, or one to `guard_pages` pages by chance. */
static size_t guard_bytes(uint32_t number, uint32_t class)
{
    struct partition *partition;
    size_t pages = 0;

    if (sg_options.guard_pages == 0 || class == CLASS_ZERO || sg_os_page_bytes > PAGE_BYTES)
        return 0;
    partition = sg_partition_acquire(number);
    partition->unguarded_bytes += body_bytes(class);
    if (partition->unguarded_bytes > sg_options.guard_interval) {
        partition->unguarded_bytes = 0;
        pages = 1 + random_below(&partition->random, (uint32_t)sg_options.guard_pages);
    }
    sg_partition_release(partition);
    return pages * PAGE_BYTES;
}

static void describe(struct span *span, uint32_t class, slot_state_byte *states)
{
    const struct size_class *info = &sg_size_classes[class];

    __builtin_memset((void *)states, SLOT_CENTRAL, info->slot_count);
    ANNOTATE_ATOMIC(states, info->slot_count);
    span->slots.inverse = info->inverse;
    span->slots.rotation = info->rotation;
    span->slots.states = states;
    span->slots.class = (uint8_t) class;
    span->slots.mark = TYPED_UNLISTED;
    span->free_slots = info->slot_count;
    span->slots.slot_count = info->slot_count;
}

/* A new span of the class with all slots free, in no list; without the lock. */
static struct span *span_create(uint32_t number, uint32_t class)
{
    size_t guard = guard_bytes(number, class);
    slot_state_byte *states = sg_object_pool_take(sg_size_classes[class].slot_count);
    struct span *span =
        states == NULL ? NULL
                       : sg_typed_span_create(number, (body_bytes(class) + guard) / PAGE_BYTES);

    if (span == NULL)
        return NULL; /* the states are lost, when there is no more memory */
    char *body = (char *)span->slots.base;
    if (guard > 0) /* where the kernel refuses, density is lowered and nothing fails */
        (void)!sg_os_forbid(body + body_bytes(class), guard);
    /* Never an address of malloc(0) that can be written. */
    if (class == CLASS_ZERO && !sg_os_forbid_beyond_budget(body, body_bytes(class)))
        return NULL;
    describe(span, class, states);
    return span;
}

/* All slots are free: no memory and no access from now on. */
static void close_span(struct span *span)
{
    void *body = (void *)span->slots.base;
    size_t bytes = body_bytes(span->slots.class);

    if (span->slots.class != CLASS_ZERO && !sg_os_forbid(body, bytes))
        (void)sg_os_purge(body, bytes); /* its slots were cleared one by one */
}

/* False: the kernel has no more mappings, the addresses are lost. */
static bool open_span(struct span *span)
{
    uint32_t class = span->slots.class;

    return class == CLASS_ZERO || sg_os_allow((void *)span->slots.base, body_bytes(class));
}

/* A span that no list holds, all slots free; without the lock. */
static struct span *span_bring(uint32_t number, uint32_t class)
{
    struct partition *partition = sg_partition_acquire(number);
    struct list_node **spare = &partition->classes[class].spare;
    struct span *span = *spare == NULL ? NULL : container_of(*spare, struct span, link);

    if (span != NULL) {
        list_unlink(spare, &span->link);
        span->slots.mark = TYPED_UNLISTED;
    }
    sg_partition_release(partition);
    return span != NULL && open_span(span) ? span : span_create(number, class);
}

static void list(struct partition *partition, struct span *span, enum typed_mark mark)
{
    struct typed_class *class = &partition->classes[span->slots.class];

    if (span->slots.mark == TYPED_OPEN)
        list_unlink(&class->open, &span->link);
    if (mark == TYPED_OPEN)
        list_push(&class->open, &span->link);
    if (mark == TYPED_SPARE)
        list_push(&class->spare, &span->link);
    span->slots.mark = (uint8_t)mark;
}

/* One of the free slots of the span, by chance. Under the lock. */
static struct taken_slot slot_choose(struct partition *partition, struct span *span)
{
    uint32_t count = span->slots.slot_count;
    uint32_t index = random_below(&partition->random, count);

    for (uint32_t i = 0; i < count && load_relaxed(&span->slots.states[index]) != SLOT_CENTRAL; i++)
        index = index + 1 == count ? 0 : index + 1;
    ASSERT(load_relaxed(&span->slots.states[index]) == SLOT_CENTRAL);
    store_relaxed(&span->slots.states[index], SLOT_CACHED);
    span->free_slots--;
    return (struct taken_slot){
        .slot = (char *)span->slots.base +
                (size_t)index * sg_size_classes[span->slots.class].slot_bytes,
        .state_byte = &span->slots.states[index],
        .state = SLOT_CACHED,
    };
}

static bool slot_take(uint32_t number, uint32_t class, struct taken_slot *ret_taken)
{
    struct partition *partition = sg_partition_acquire(number);
    struct list_node *open = partition->classes[class].open;
    struct span *span = open == NULL ? NULL : container_of(open, struct span, link);

    if (span == NULL) {
        sg_partition_release(partition);
        span = span_bring(number, class);
        if (span == NULL)
            return false;
        partition = sg_partition_acquire(number);
        list(partition, span, TYPED_OPEN);
    }
    *ret_taken = slot_choose(partition, span);
    if (span->free_slots == 0)
        list(partition, span, TYPED_UNLISTED);
    sg_partition_release(partition);
    return true;
}

static void *allocate_small(uint32_t class, size_t bytes, uint32_t number, bool *ret_zeroed)
{
    struct taken_slot taken;

    if (!slot_take(number, class, &taken))
        return NULL;
    slot_open(&taken, class, bytes);
    *ret_zeroed = slot_is_known_zero(class, taken.state);
    store_relaxed(taken.state_byte, SLOT_LIVE_TYPED);
    atomic_fetch_add_explicit(&live_bytes, sg_size_classes[class].slot_bytes, memory_order_relaxed);
    return taken.slot;
}

void *sg_typed_allocate(size_t bytes, uint32_t partition, bool *ret_zeroed)
{
    uint32_t class = policy_class_of(bytes);
    struct large_request request = {
        .bytes = bytes,
        .alignment = 1,
        .maker = SLOT_LIVE_TYPED,
        .at_the_end = sg_policy.is_guarded,
        .partition = (uint8_t)partition,
    };

    if (bytes > MAX_OBJECT_BYTES)
        return NULL;
    if (class == CLASS_LARGE || (sg_policy.is_guarded && class != CLASS_ZERO))
        return sg_typed_large_take(request, ret_zeroed);
    return allocate_small(class, bytes, partition, ret_zeroed);
}

/* The last span with free slots keeps its memory: what is freed and asked for in turn would
 * otherwise cost two system calls each time. Returns a span to close, or NULL. */
static struct span *slot_return(struct partition *partition, struct span *span,
                                slot_state_byte *state)
{
    struct typed_class *class = &partition->classes[span->slots.class];

    store_relaxed(state, SLOT_CENTRAL);
    span->free_slots++;
    if (span->slots.mark != TYPED_OPEN) {
        bool is_needed = span->free_slots < span->slots.slot_count || class->open == NULL;

        if (is_needed)
            list(partition, span, TYPED_OPEN);
        return is_needed ? NULL : span;
    }
    if (span->free_slots < span->slots.slot_count ||
        (class->open == &span->link && span->link.next == NULL))
        return NULL;
    list(partition, span, TYPED_UNLISTED);
    return span;
}

static void retire(struct span *span)
{
    close_span(span);
    struct partition *partition = sg_partition_acquire(span->partition);
    list(partition, span, TYPED_SPARE);
    sg_partition_release(partition);
}

void sg_typed_free(const struct block *block, void *object, const char *function)
{
    struct span *span = block->span;
    uint32_t class = span->slots.class;
    uint8_t expected = SLOT_LIVE_TYPED;

    if (class == CLASS_LARGE) {
        sg_typed_large_give(span);
        return;
    }
    /* Read-modify-write, as for large objects: no batch would find a second free later. Release:
     * who finds the canary gone must find the state changed, see checked_slot.h. */
    if (!atomic_compare_exchange_strong_explicit(block->state, &expected, SLOT_CACHED,
                                                 memory_order_acq_rel, memory_order_relaxed))
        sg_block_report_double_free(block, object, function);
    atomic_thread_fence(memory_order_release);
    (void)slot_clear(&sg_thread_cache_none, object, class);
    atomic_fetch_sub_explicit(&live_bytes, sg_size_classes[class].slot_bytes, memory_order_relaxed);
    struct partition *partition = sg_partition_acquire(span->partition);
    struct span *empty = slot_return(partition, span, block->state);
    sg_partition_release(partition);
    if (empty != NULL)
        retire(empty);
}

/* A span with all slots free, out of its list, or NULL. */
static struct span *take_empty(uint32_t number, uint32_t class)
{
    struct partition *partition = sg_partition_acquire(number);
    struct span *found = NULL;

    for (struct list_node *node = partition->classes[class].open; node != NULL && found == NULL;
         node = node->next) {
        struct span *span = container_of(node, struct span, link);

        if (span->free_slots == span->slots.slot_count)
            found = span;
    }
    if (found != NULL)
        list(partition, found, TYPED_UNLISTED);
    sg_partition_release(partition);
    return found;
}

void sg_typed_trim(void)
{
    for (uint32_t number = 1; number < TYPED_PARTITIONS; number++)
        for (uint32_t class = 0; sg_typed_is_used(number) && class < CLASS_COUNT; class ++) {
            struct span *span = take_empty(number, class);

            if (span != NULL) /* there is one at most, see slot_return() */
                retire(span);
        }
}

void sg_typed_statistics(struct typed_statistics *ret_statistics)
{
    *ret_statistics = (struct typed_statistics){.live_bytes = load_relaxed(&live_bytes)};
    for (uint32_t number = 1; number < TYPED_PARTITIONS; number++) {
        if (!sg_typed_is_used(number))
            continue;
        struct partition *partition = sg_partition_acquire(number);
        ret_statistics->mapped_bytes += partition->mapped_bytes;
        sg_partition_release(partition);
    }
}
