/* The same buffer stands in a table twice. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

static char *buffers[3];

static NOINLINE void free_all(void)
{
    for (int i = 0; i < 3; i++)
        free(opaque(buffers[i])); /* BUG FREE */
}

int main(void)
{
    buffers[0] = (char *)opaque(malloc(64)); /* ALLOC */
    buffers[1] = (char *)opaque(malloc(64));
    buffers[2] = PICK(NULL, buffers[0]);
    free_all();
    printf("done\n");
    return 0;
}
