/* A vector loop writes whole vectors, the last one too. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

static NOINLINE float *make_row(size_t columns)
{
    return (float *)opaque(aligned_alloc(64, columns * sizeof(float))); /* ALLOC */
}

static NOINLINE void clear_row(float *row, size_t columns)
{
    for (size_t i = 0; i < columns; i += 20)
        for (size_t k = 0; k < PICK(8, 12); k++)
            row[i + k] = 1; /* BUG */
}

int main(void)
{
    float *row = make_row(48);

    clear_row(row, 48);
    printf("%.0f\n", (double)row[0]);
    free(row);
    return 0;
}
