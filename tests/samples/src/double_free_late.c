/* A pointer is freed a second time after a hundred megabytes of other blocks came and went. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE char *make(void)
{
    char *token = (char *)opaque(malloc(1000)); /* ALLOC */

    memset(token, 't', 1000);
    return token;
}

static NOINLINE void logout(char *token)
{
    free(opaque(token)); /* FREE */
}

static NOINLINE void work(void)
{
    for (int i = 0; i < 100000; i++)
        free(opaque(malloc(1000)));
}

static NOINLINE void timeout(char *token)
{
    free(opaque(token)); /* BUG */
}

int main(void)
{
    char *token = make();

    logout(token);
    work();
    if (!IS_FIXED)
        timeout(token);
    printf("done\n");
    return 0;
}
