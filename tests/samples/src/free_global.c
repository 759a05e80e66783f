/* The default of a setting lies in a global. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char default_folder[64] __attribute__((aligned(16))) = "/var/tmp";
static char *folder = default_folder;

static NOINLINE void set_folder(const char *path)
{
    if (!IS_FIXED || folder != default_folder)
        free(opaque(folder)); /* BUG */
    folder = strdup(path);
}

int main(void)
{
    set_folder("/tmp");
    printf("%s\n", folder);
    set_folder("/run");
    return 0;
}
