/* A number that is longer than the label's room. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

static NOINLINE char *label_of(long id)
{
    char *label = (char *)opaque(malloc(PICK(32, 8))); /* ALLOC */

    sprintf(label, "id-%ld", id); /* BUG */
    return label;
}

int main(void)
{
    char *label = label_of(1234567890);

    printf("%s\n", label);
    free(label);
    return 0;
}
