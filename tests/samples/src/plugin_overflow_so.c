/* The plugin of plugin_overflow: an upper-case copy, one character too long. */
#include "sample.h"
#include <stdlib.h>

int plugin_run(int bytes);

static NOINLINE char *make_copy(int bytes)
{
    return (char *)opaque(malloc((size_t)bytes)); /* ALLOC */
}

int plugin_run(int bytes)
{
    char *copy = make_copy(bytes);

    for (int i = 0; i <= bytes - PICK(1, 0); i++)
        copy[i] = 'P'; /* BUG */
    int first = copy[0];
    free(copy);
    return first;
}
