/* The length in the packet is believed. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct packet {
    unsigned length;
    char body[96];
};

static NOINLINE char *take_body(const struct packet *packet)
{
    char *body = (char *)opaque(malloc(64)); /* ALLOC */
    size_t length = packet->length;

    if (IS_FIXED && length > 64)
        length = 64;
    memcpy(body, packet->body, length); /* BUG */
    printf("%zu\n", length);
    return body;
}

int main(void)
{
    static struct packet packet = {.length = 80};

    free(take_body((struct packet *)opaque(&packet)));
    return 0;
}
