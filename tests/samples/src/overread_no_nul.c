/* strncpy() leaves no NUL behind a name that fills the room. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE char *store_name(const char *name)
{
    char *stored = (char *)opaque(malloc(16)); /* ALLOC */

    strncpy(stored, (const char *)opaque(name), PICK(15, 16));
    if (IS_FIXED)
        stored[15] = 0;
    return stored;
}

static NOINLINE size_t count(const char *text)
{
    size_t length = 0;

    while (text[length]) /* BUG */
        length++;
    return length;
}

int main(void)
{
    char *name = store_name("bartholomew-james");

    printf("%d\n", count(name) > 0);
    free(name);
    return 0;
}
