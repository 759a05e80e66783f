/* The last bucket is one too many: <= for <. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

static NOINLINE int *make_histogram(int buckets)
{
    int *histogram = (int *)opaque(malloc((size_t)buckets * sizeof(int))); /* ALLOC */

    for (int i = 0; i < buckets + PICK(0, 1); i++)
        histogram[i] = 0; /* BUG */
    return histogram;
}

int main(void)
{
    int *histogram = make_histogram(16);

    printf("%d\n", histogram[0]);
    free(histogram);
    return 0;
}
