/* One byte behind a block of a mebibyte. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE char *load(size_t bytes)
{
    char *buffer = (char *)opaque(malloc(bytes)); /* ALLOC */

    memset(buffer, 'x', bytes);
    return buffer;
}

static NOINLINE void terminate(char *buffer, size_t bytes)
{
    buffer[bytes - PICK(1, 0)] = 0; /* BUG */
}

int main(void)
{
    char *buffer = load(1 << 20);

    terminate(buffer, 1 << 20);
    printf("%c\n", buffer[0]);
    free(buffer);
    return 0;
}
