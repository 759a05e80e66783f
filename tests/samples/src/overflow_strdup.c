/* What strdup() made is not made to be appended to. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE char *add_slash(const char *folder)
{
    char *copy = strdup(folder); /* ALLOC */

    if (IS_FIXED)
        copy = realloc(copy, strlen(folder) + 2);
    strcat((char *)opaque(copy), "/"); /* BUG */
    return copy;
}

int main(void)
{
    char *folder = add_slash("/var/lib/postgresql/15/main/base");

    printf("%s\n", folder);
    free(folder);
    return 0;
}
