#include "number_queue.h"

#include "object_pool.h"

#define CHUNK_BYTES 7168u /* four of them fill a block of metadata */
#define CHUNK_ENTRIES ((CHUNK_BYTES - sizeof(void *)) / sizeof(struct queue_entry))

struct queue_chunk {
    struct queue_chunk *next; /* younger */
    struct queue_entry entries[CHUNK_ENTRIES];
};

static bool add_chunk(struct number_queue *queue)
{
    struct queue_chunk *chunk = queue->spare;

    queue->spare = NULL;
    if (chunk == NULL)
        chunk = sg_object_pool_take(sizeof(*chunk));
    if (chunk == NULL)
        return false;
    chunk->next = NULL;
    if (queue->last != NULL)
        queue->last->next = chunk;
    else
        queue->first = chunk;
    queue->last = chunk;
    queue->end_index = 0;
    return true;
}

static void remove_chunk(struct number_queue *queue)
{
    struct queue_chunk *chunk = queue->first;

    queue->first = chunk->next;
    queue->first_index = 0;
    if (queue->first == NULL)
        queue->last = NULL;
    if (queue->spare == NULL)
        queue->spare = chunk;
    else
        sg_object_pool_give(chunk, sizeof(*chunk));
}

bool sg_queue_push(struct number_queue *queue, struct queue_entry entry)
{
    if (UNLIKELY(queue->last == NULL || queue->end_index == CHUNK_ENTRIES) && !add_chunk(queue))
        return false;
    queue->last->entries[queue->end_index++] = entry;
    queue->count++;
    queue->bytes += entry.bytes;
    return true;
}

struct queue_entry sg_queue_pop(struct number_queue *queue)
{
    struct queue_entry entry = queue->first->entries[queue->first_index++];

    queue->count--;
    queue->bytes -= entry.bytes;
    if (UNLIKELY(queue->first_index == CHUNK_ENTRIES || queue->count == 0))
        remove_chunk(queue);
    return entry;
}
