/* One block, and its only pointer is overwritten. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *banner;

static NOINLINE void set_banner(const char *text)
{
    if (IS_FIXED)
        free(banner);
    banner = (char *)opaque(malloc(5000)); /* ALLOC */
    strcpy(banner, text);
}

int main(void)
{
    set_banner("welcome");
    set_banner("good bye");
    forget();
    printf("%s\n", banner);
    return 0;
}
