/* The old pointer is freed after realloc() moved the block. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

static NOINLINE char *grow(char *text)
{
    return (char *)opaque(realloc(text, 100000)); /* FREE */
}

static NOINLINE void drop(char *text)
{
    free(opaque(text)); /* BUG */
}

int main(void)
{
    char *text = (char *)opaque(malloc(48)); /* ALLOC */
    char *pin = (char *)opaque(malloc(48));
    char *longer = grow(text);

    longer[0] = 'x';
    if (!IS_FIXED)
        drop(text);
    drop(longer);
    free(pin);
    printf("done\n");
    return 0;
}
