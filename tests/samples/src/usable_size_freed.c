/* The size of a freed block is asked for. */
#include "sample.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

static NOINLINE void drop(void *blob)
{
    free(opaque(blob)); /* FREE */
}

static NOINLINE size_t account(void *blob)
{
    return malloc_usable_size(opaque(blob)); /* BUG */
}

int main(void)
{
    void *blob = opaque(malloc(700)); /* ALLOC */
    size_t bytes = PICK(account(blob), 0);

    drop(blob);
    if (!IS_FIXED)
        bytes = account(blob);
    printf("%d\n", bytes < 1000);
    return 0;
}
