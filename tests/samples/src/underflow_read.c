/* The character before the first is looked at: was it a backslash? */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE char *make_text(void)
{
    char *text = (char *)opaque(malloc(4096)); /* ALLOC */

    memset(text, '"', 4096);
    return text;
}

static NOINLINE int is_escaped(const char *text, long at)
{
    if (IS_FIXED && at == 0)
        return 0;
    return text[at - 1] == '\\'; /* BUG */
}

int main(void)
{
    char *text = make_text();

    printf("%d\n", is_escaped(text, 0) + is_escaped(text, 1) < 2);
    free(text);
    return 0;
}
