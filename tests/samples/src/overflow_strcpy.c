/* A path is put together in a buffer that was measured for the folder alone. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE char *path_join(const char *folder, const char *file)
{
    size_t room = strlen(folder) + 1 + PICK(strlen(file) + 1, 0);
    char *path = (char *)opaque(malloc(room)); /* ALLOC */

    strcpy(path, folder);
    strcat(path, "/");                        /* BUG */
    strcat(path, (const char *)opaque(file)); /* BUG */
    printf("%s\n", path);
    return path;
}

int main(void)
{
    char *path = path_join("/usr/share/dict", "words");

    free(path);
    return 0;
}
