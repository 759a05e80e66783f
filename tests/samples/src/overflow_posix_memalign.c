/* A page of its own, and one word more. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

static NOINLINE unsigned *make_ring(void)
{
    void *ring = NULL;

    if (posix_memalign(&ring, 4096, 4096) != 0) /* ALLOC */
        exit(1);
    return (unsigned *)opaque(ring);
}

int main(void)
{
    unsigned *ring = make_ring();

    for (unsigned i = 0; i <= 1024 - PICK(1, 0); i++)
        ring[i] = i; /* BUG */
    printf("%u\n", ring[3]);
    free(ring);
    return 0;
}
