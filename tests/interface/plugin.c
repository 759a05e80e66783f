/* A plugin for plugins.c and late_dlopen.c: its references to malloc bind when it is opened. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *from_constructor;

__attribute__((constructor)) static void allocate_early(void)
{
    from_constructor = malloc(333);
    memset(from_constructor, 'c', 333);
}

__attribute__((destructor)) static void free_late(void)
{
    free(from_constructor);
}

char *plugin_make(size_t bytes)
{
    char *block = malloc(bytes);

    memset(block, 'p', bytes);
    return block;
}

/* Made inside libc, by its own call of malloc. */
char *plugin_print(int number)
{
    char *text = NULL;

    return asprintf(&text, "number %d", number) < 0 ? NULL : text;
}

char *plugin_resize(char *block, size_t bytes)
{
    return realloc(block, bytes);
}

void plugin_take(void *block)
{
    free(block);
}
