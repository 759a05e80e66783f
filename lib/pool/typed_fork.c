/* Partitions in a forked child whose parent was changing them. */
#include "typed_state.h"

struct lock *sg_typed_lock(uint32_t partition)
{
    return &sg_partitions[partition].lock;
}

bool sg_typed_is_used(uint32_t partition)
{
    return load_relaxed(&sg_partitions[partition].is_used);
}

void sg_typed_rebuild_begin(uint32_t partition)
{
    struct partition *damaged = &sg_partitions[partition];

    __builtin_memset(damaged->classes, 0, sizeof(damaged->classes));
    __builtin_memset(damaged->vacant, 0, sizeof(damaged->vacant));
    damaged->recent_count = 0; /* the room of those is lost: addresses, no memory */
    damaged->chunk = damaged->chunk_end = 0;
}

static uint32_t count_free(const struct span *span)
{
    uint32_t free_slots = 0;

    for (uint32_t i = 0; i < span->slots.slot_count; i++)
        free_slots += load_relaxed(&span->slots.states[i]) == SLOT_CENTRAL;
    return free_slots;
}

/* A span may be met twice in a row. */
static void push_once(struct list_node **head, struct list_node *node)
{
    if (*head != node)
        list_push(head, node);
}

/* A span that was on its way from one list to another while the parent forked has whatever access
 * it had: as spare it gets it back before it is used. */
void sg_typed_rebuild_add(struct span *span)
{
    struct partition *partition = &sg_partitions[span->partition];

    if (span->slots.slot_count == 0) {
        if (span->slots.mark == TYPED_VACANT)
            sg_typed_vacant_push(partition, span);
        return;
    }
    struct typed_class *class = &partition->classes[span->slots.class];
    span->free_slots = count_free(span);
    span->slots.mark = TYPED_UNLISTED;
    if (span->free_slots == span->slots.slot_count) {
        push_once(&class->spare, &span->link);
        span->slots.mark = TYPED_SPARE;
    } else if (span->free_slots > 0) {
        push_once(&class->open, &span->link);
        span->slots.mark = TYPED_OPEN;
    }
}
