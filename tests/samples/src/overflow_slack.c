/* The end of the block is not touched, what lies some bytes behind it is. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

static NOINLINE unsigned char *make_frame(size_t bytes)
{
    unsigned char *frame = (unsigned char *)opaque(malloc(bytes)); /* ALLOC */

    frame[0] = (unsigned char)bytes;
    return frame;
}

static NOINLINE void set_checksum(unsigned char *frame)
{
    frame[PICK(99, 107)] = 0x2a; /* BUG */
}

int main(void)
{
    unsigned char *frame = make_frame(100);

    set_checksum(frame);
    printf("%d\n", frame[0]);
    free(frame);
    return 0;
}
