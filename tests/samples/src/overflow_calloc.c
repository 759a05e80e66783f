/* calloc() of as many bytes as there are elements. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

static NOINLINE double *make_samples(size_t count)
{
    return (double *)opaque(calloc(count, PICK(sizeof(double), 4))); /* ALLOC */
}

int main(void)
{
    double *samples = make_samples(24);

    for (int i = 0; i < 14; i++)
        samples[i] = i * 0.5; /* BUG */
    printf("%.1f\n", samples[1]);
    free(samples);
    return 0;
}
