/* The value of "key=value" is freed as if it were a copy. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE char *copy(const char *s)
{
    return strdup((const char *)opaque(s)); /* ALLOC */
}

static NOINLINE void drop(char *value)
{
    free(opaque(value)); /* BUG */
}

int main(void)
{
    char *setting = copy("ab=some value of a setting");
    char *value = strchr(setting, '=') + 1;

    printf("%s\n", value);
    drop(PICK(setting, value));
    return 0;
}
