/* One memset() over all blocks of a table, as if they were one. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 64

static char *rows[ROWS];

static NOINLINE void clear_rows(void)
{
    if (IS_FIXED) {
        for (int i = 0; i < ROWS; i++)
            memset(rows[i], 'A', 100);
        return;
    }
    memset(opaque(rows[ROWS / 2]), 'A', 2000); /* BUG */
}

int main(void)
{
    for (int i = 0; i < ROWS; i++)
        rows[i] = (char *)opaque(malloc(100)); /* ALLOC */
    clear_rows();
    printf("%c\n", rows[ROWS / 2][0]);
    for (int i = 0; i < ROWS; i++)
        free(rows[i]);
    return 0;
}
