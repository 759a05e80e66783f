#include "number_queue.h"

#include "object_pool.h"

bool sg_queue_grow(struct number_queue *queue)
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

void sg_queue_shrink(struct number_queue *queue)
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
