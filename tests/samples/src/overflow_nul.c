/* Room for the text but not for its NUL. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE char *dup_name(const char *s)
{
    char *d = (char *)opaque(malloc(strlen(s) + PICK(1, 0))); /* ALLOC */
    size_t i;

    for (i = 0; s[i]; i++)
        d[i] = s[i];
    d[i] = 0; /* BUG */
    return d;
}

int main(void)
{
    char *name = dup_name("abcdefghijklmnopqrstuvwx");

    printf("%zu\n", strlen(name));
    free(name);
    return 0;
}
