/* A pointer from before the growth is read through. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE char *grow(char *text)
{
    return (char *)opaque(realloc(text, 4000)); /* FREE */
}

static NOINLINE int first_of(const char *word)
{
    return word[0]; /* BUG */
}

int main(void)
{
    char *text = (char *)opaque(malloc(16)); /* ALLOC */
    char *pin = (char *)opaque(malloc(16));
    char *word = text;

    memset(text, 'w', 16);
    text = grow(text);
    printf("%d\n", first_of(PICK(text, (char *)opaque(word))) < 999);
    free(text);
    free(pin);
    return 0;
}
