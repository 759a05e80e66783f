/* The stale write comes after a hundred megabytes of other blocks came and went. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE char *subscribe(void)
{
    char *slot = (char *)opaque(malloc(1000)); /* ALLOC */

    memset(slot, 's', 1000);
    return slot;
}

static NOINLINE void unsubscribe(char *slot)
{
    free(opaque(slot)); /* FREE */
    forget();
}

static NOINLINE void work(void)
{
    for (int i = 0; i < 100000; i++)
        free(opaque(malloc(1000)));
}

static NOINLINE void notify(char *slot)
{
    slot[500] = 'n'; /* BUG */
}

int main(void)
{
    char *slot = subscribe();

    if (IS_FIXED)
        notify(slot);
    unsubscribe(slot);
    work();
    if (!IS_FIXED)
        notify((char *)opaque(slot));
    printf("done\n");
    return 0;
}
