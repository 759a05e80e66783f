/* A list of ten whose head is lost. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

struct node {
    struct node *next;
    char text[200];
};

static struct node *head;

static NOINLINE void push(void)
{
    struct node *node = (struct node *)opaque(calloc(1, sizeof(*node))); /* ALLOC */

    node->next = head;
    head = node;
}

static NOINLINE void reset(void)
{
    while (IS_FIXED && head != NULL) {
        struct node *next = head->next;
        free(head);
        head = next;
    }
    head = NULL;
}

int main(void)
{
    for (int i = 0; i < 10; i++)
        push();
    reset();
    forget();
    printf("%d\n", head == NULL);
    return 0;
}
