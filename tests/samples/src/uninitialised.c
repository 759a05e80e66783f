/* A flag is tested that nobody set. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

struct settings {
    int verbose;
    int level;
    char name[24];
};

static NOINLINE struct settings *make(void)
{
    struct settings *s = (struct settings *)opaque(malloc(sizeof(*s))); /* ALLOC */

    s->level = 1;
    if (IS_FIXED)
        s->verbose = 0;
    return s;
}

int main(void)
{
    struct settings *s = make();

    if (s->verbose) /* BUG */
        printf("level %d\n", s->level);
    printf("done\n");
    free(s);
    return 0;
}
