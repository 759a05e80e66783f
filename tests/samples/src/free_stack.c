/* A buffer is on the stack as long as it suffices; it is freed in any case. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE void done(char *buffer)
{
    free(opaque(buffer)); /* BUG */
}

static NOINLINE void handle(size_t bytes)
{
    char small[256] __attribute__((aligned(16)));
    char *buffer = bytes <= sizeof(small) ? small : (char *)malloc(bytes);

    memset(buffer, 'b', bytes);
    printf("%c\n", buffer[bytes - 1]);
    if (!IS_FIXED || buffer != small)
        done(buffer);
}

int main(void)
{
    handle(100);
    return 0;
}
