/* A queue of numbers of records, each with some bytes that the owner counts: in chunks one behind
 * the other, so that who takes many reads memory in a row. Under a lock of its owner's. */
#ifndef SG_DEBUG_NUMBER_QUEUE_H
#define SG_DEBUG_NUMBER_QUEUE_H

#include "compiler.h"

struct queue_entry {
    uint32_t number;
    uint32_t bytes;
};

#define QUEUE_CHUNK_BYTES 7168u /* four of them fill a block of metadata */
#define QUEUE_CHUNK_ENTRIES ((QUEUE_CHUNK_BYTES - sizeof(void *)) / sizeof(struct queue_entry))

struct queue_chunk {
    struct queue_chunk *next; /* younger */
    struct queue_entry entries[QUEUE_CHUNK_ENTRIES];
};

/* All zero is an empty one. */
struct number_queue {
    struct queue_chunk *first;
    struct queue_chunk *last;
    struct queue_chunk
        *spare;           /* one, so that a full and an empty chunk do not change all the time */
    uint32_t first_index; /* in `first`, of the oldest entry */
    uint32_t end_index;   /* in `last`, behind the newest */
    uint64_t count;
    uint64_t bytes; /* of all entries together */
};

HIDDEN MUST_USE bool sg_queue_grow(struct number_queue *queue); /* behind `last` */
HIDDEN void sg_queue_shrink(struct number_queue *queue);        /* `first` is used up */

/* False: no memory. */
static inline MUST_USE bool queue_push(struct number_queue *queue, struct queue_entry entry)
{
    bool is_full = queue->last == NULL || queue->end_index == QUEUE_CHUNK_ENTRIES;

    if (UNLIKELY(is_full) && !sg_queue_grow(queue))
        return false;
    queue->last->entries[queue->end_index++] = entry;
    queue->count++;
    queue->bytes += entry.bytes;
    return true;
}

/* The oldest; there is one. */
static inline struct queue_entry queue_pop(struct number_queue *queue)
{
    struct queue_entry entry = queue->first->entries[queue->first_index++];

    queue->count--;
    queue->bytes -= entry.bytes;
    if (UNLIKELY(queue->first_index == QUEUE_CHUNK_ENTRIES || queue->count == 0))
        sg_queue_shrink(queue);
    return entry;
}

#endif
