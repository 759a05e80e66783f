/* A queue of numbers of records, each with some bytes that the owner counts: in chunks one behind
 * the other, so that who takes many reads memory in a row. Under a lock of its owner's. */
#ifndef SG_DEBUG_NUMBER_QUEUE_H
#define SG_DEBUG_NUMBER_QUEUE_H

#include "compiler.h"

struct queue_entry {
    uint32_t number;
    uint32_t bytes;
};

struct queue_chunk;

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

/* False: no memory. */
HIDDEN MUST_USE bool sg_queue_push(struct number_queue *queue, struct queue_entry entry);

/* The oldest; there is one. */
HIDDEN struct queue_entry sg_queue_pop(struct number_queue *queue);

#endif
