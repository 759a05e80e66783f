/* Leading blanks are skipped, and what is left is freed. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE char *read_line(void)
{
    char *line = (char *)opaque(malloc(64)); /* ALLOC */

    memset(line, ' ', 16);
    strcpy(line + 16, "hello");
    return line;
}

static NOINLINE void done(char *line)
{
    free(opaque(line)); /* BUG */
}

int main(void)
{
    char *line = read_line();
    char *text = line;

    while (*text == ' ')
        text++;
    printf("%s\n", text);
    done(PICK(line, text));
    return 0;
}
