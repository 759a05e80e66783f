/* Blocks of an arena are freed one by one. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char arena[4096] __attribute__((aligned(16)));
static size_t used = 512;

static NOINLINE void *arena_take(size_t bytes)
{
    void *block = arena + used;

    used += (bytes + 15) / 16 * 16;
    return block;
}

static NOINLINE void drop(void *block)
{
    free(opaque(block)); /* BUG */
}

int main(void)
{
    char *word = (char *)arena_take(48);

    strcpy(word, "word");
    printf("%s\n", word);
    if (!IS_FIXED)
        drop(word);
    return 0;
}
