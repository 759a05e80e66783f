/* free_sized() of C23 with the length of the text, not of the buffer. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not in this libc; a malloc that has it brings it. */
__attribute__((weak)) void free_sized(void *pointer, size_t bytes);

static NOINLINE char *make_text(void)
{
    char *text = (char *)opaque(malloc(100)); /* ALLOC */

    strcpy(text, "a text of some length");
    return text;
}

static NOINLINE void drop(char *text)
{
    free_sized(opaque(text), PICK(100, strlen(text) + 1)); /* BUG */
}

int main(void)
{
    char *text = make_text();

    printf("%s\n", text);
    if (free_sized == NULL)
        free(text);
    else
        drop(text);
    return 0;
}
