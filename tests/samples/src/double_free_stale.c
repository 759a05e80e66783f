/* A stale pointer is freed: its memory may have a new owner by now, who then loses it. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE char *make(void)
{
    char *token = (char *)opaque(malloc(40)); /* ALLOC */

    memset(token, 't', 40);
    return token;
}

static NOINLINE void logout(char *token)
{
    free(opaque(token)); /* FREE */
}

static NOINLINE void timeout(char *token)
{
    free(opaque(token)); /* BUG FREE */
}

int main(void)
{
    char *mine = make();

    logout(mine);
    char *yours = make();
    if (!IS_FIXED)
        timeout(mine);
    memset(yours, 'y', 40);
    logout(yours); /* BUG */
    printf("done\n");
    return 0;
}
