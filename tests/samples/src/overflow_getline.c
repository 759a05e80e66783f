/* The length of a line is not the size of its buffer: the terminator goes behind that. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    static char text[400];
    char *line = NULL;
    size_t room = 0;

    memset(text, 'a', sizeof(text) - 1);
    FILE *from = fmemopen(text, sizeof(text) - 1, "r");
    if (from == NULL || getline(&line, &room, from) < 0) /* ALLOC */
        return 1;
    line = (char *)opaque(line);
    line[room - PICK(1, 0)] = 0; /* BUG */
    printf("%.4s\n", line);
    fclose(from);
    free(line);
    return 0;
}
