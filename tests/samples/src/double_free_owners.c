/* Both the error path and the end of the connection free its buffer. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

struct connection {
    int socket;
    char *buffer;
};

static NOINLINE void connection_error(struct connection *c)
{
    free(opaque(c->buffer)); /* FREE */
    if (IS_FIXED)
        c->buffer = NULL;
}

static NOINLINE void connection_close(struct connection *c)
{
    free(opaque(c->buffer)); /* BUG */
    c->socket = -1;
}

int main(void)
{
    struct connection c = {3, (char *)opaque(malloc(120))}; /* ALLOC */

    connection_error(&c);
    free(opaque(malloc(500)));
    connection_close(&c);
    printf("%d\n", c.socket);
    return 0;
}
