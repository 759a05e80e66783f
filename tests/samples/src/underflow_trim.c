/* Blanks are trimmed from the end, and from before the beginning if there is nothing else. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE char *make_line(void)
{
    char *line = (char *)opaque(malloc(40)); /* ALLOC */

    memset(line, ' ', 40);
    return line;
}

static NOINLINE void trim(char *line)
{
    int i;

    for (i = 39; i >= 0 && line[i] == ' '; i--)
        line[i] = 0;
    if (!IS_FIXED || i >= 0)
        line[i] = 0; /* BUG */
}

int main(void)
{
    char *line = make_line();

    trim(line);
    printf("%zu\n", strlen(line));
    free(line);
    return 0;
}
