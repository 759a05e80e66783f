/* A buffer grows after it was dropped. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

static NOINLINE void drop(char *log)
{
    free(opaque(log)); /* FREE */
}

static NOINLINE char *append(char *log)
{
    return (char *)opaque(realloc(opaque(log), 4000)); /* BUG */
}

int main(void)
{
    char *log = (char *)opaque(malloc(90)); /* ALLOC */

    if (IS_FIXED) {
        drop(append(log));
        printf("done\n");
        return 0;
    }
    drop(log);
    log = append(log);
    printf("done\n");
    free(log);
    return 0;
}
