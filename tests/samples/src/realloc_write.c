/* A pointer from before the growth is written through. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

static NOINLINE int *grow(int *stack)
{
    return (int *)opaque(realloc(stack, 4000)); /* FREE */
}

static NOINLINE void set(int *top, int value)
{
    *top = value; /* BUG */
}

int main(void)
{
    int *stack = (int *)opaque(malloc(16)); /* ALLOC */
    int *pin = (int *)opaque(malloc(16));
    int *top = stack;

    stack[0] = 0;
    stack = grow(stack);
    set(PICK(stack, (int *)opaque(top)), 7);
    printf("%d\n", stack[0] < 8 || pin == NULL);
    free(stack);
    free(pin);
    return 0;
}
