/* A list is freed by a loop that reads the link from the node it just freed. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

struct node {
    struct node *next;
    int value;
};

static struct node *head;

static NOINLINE void push(int value)
{
    struct node *node = (struct node *)opaque(malloc(sizeof(*node))); /* ALLOC */

    node->next = head;
    node->value = value;
    head = node;
}

static NOINLINE int free_list(void)
{
    int sum = 0;
    struct node *node = head;

    while (node != NULL && sum < 10) {
        struct node *next = PICK(node->next, NULL);
        sum++;
        free(opaque(node));                                           /* BUG FREE */
        node = IS_FIXED ? next : ((struct node *)opaque(node))->next; /* BUG */
    }
    return sum;
}

int main(void)
{
    for (int i = 0; i < 3; i++)
        push(i);
    printf("%d\n", free_list() > 0);
    return 0;
}
