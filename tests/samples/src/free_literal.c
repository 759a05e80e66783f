/* A function returns a fresh string, or, for once, a literal. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE char *state_name(int state)
{
    if (!IS_FIXED && state == 0)
        return (char *)"idle";
    return strdup("busy");
}

static NOINLINE void show(int state)
{
    char *name = (char *)opaque(state_name(state));

    printf("%zu\n", strlen(name));
    free(name); /* BUG */
}

int main(void)
{
    show(1);
    show(0);
    return 0;
}
