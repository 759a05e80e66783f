/* The text of asprintf() is made longer in place. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    char *query = NULL;

    if (asprintf(&query, "SELECT * FROM %s WHERE id = %d", "accounts", 1234) < 0) /* ALLOC */
        return 1;
    query = (char *)opaque(query);
    query[strlen(query) + PICK(0, 2)] = 0; /* BUG */
    printf("%.6s\n", query);
    free(query);
    return 0;
}
