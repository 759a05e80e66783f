/* Intrusive doubly linked list with a plain head pointer, so that all-zero memory is an empty
 * list. Unlinking checks both neighbours: a damaged link is found before it is followed. */
#ifndef SG_BASE_LIST_H
#define SG_BASE_LIST_H

#include "compiler.h"
#include "invariant.h"

struct list_node {
    struct list_node *next;
    struct list_node *prev;
};

static inline void list_push(struct list_node **head, struct list_node *node)
{
    node->prev = NULL;
    node->next = *head;
    if (node->next != NULL)
        node->next->prev = node;
    *head = node;
}

/* Ends the process if the neighbours do not agree that `node` is between them. */
static inline void list_unlink(struct list_node **head, struct list_node *node)
{
    struct list_node **from_prev = node->prev == NULL ? head : &node->prev->next;

    if (UNLIKELY(*from_prev != node || (node->next != NULL && node->next->prev != node)))
        sg_panic(SG_WHERE, "a list link is damaged");
    *from_prev = node->next;
    if (node->next != NULL)
        node->next->prev = node->prev;
}

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#endif
