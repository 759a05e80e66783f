/* A pointer that text was written over is freed. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct field {
    char name[8];
    char *value;
};

static NOINLINE void drop(struct field *field)
{
    free(opaque(field->value)); /* BUG */
}

int main(void)
{
    struct field field = {"", NULL};

    memcpy(opaque(&field), "content-length", PICK(8, 14));
    printf("%.8s\n", field.name);
    drop((struct field *)opaque(&field));
    return 0;
}
