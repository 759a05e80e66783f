/* read() is told a length that is not the buffer's. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static NOINLINE char *receive(int from)
{
    char *line = (char *)opaque(malloc(20));      /* ALLOC */
    ssize_t got = read(from, line, PICK(20, 40)); /* BUG */

    if (got < 0)
        perror("read");
    printf("%.4s\n", line);
    return line;
}

int main(void)
{
    int ends[2];
    static const char text[40] = "GET /index.html HTTP/1.0 and some more";

    if (pipe(ends) != 0 || write(ends[1], text, sizeof(text)) != sizeof(text))
        return 1;
    char *line = receive(ends[0]);
    free(line);
    return 0;
}
