/* Blocks that are still pointed to at the end are no leak; nothing may be said of them. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

static char *cache[8];

int main(void)
{
    for (int i = 0; i < 8; i++)
        cache[i] = (char *)opaque(malloc(1024));
    cache[7] += 16;
    if (IS_FIXED)
        free(cache[7] - 16);
    printf("%d\n", cache[3] != NULL);
    return 0;
}
