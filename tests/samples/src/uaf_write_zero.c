/* A freed session becomes root's: the zero is written where free memory may be zero anyway. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct session {
    int id;
    int uid;
    char name[32];
};

static NOINLINE struct session *open_session(void)
{
    struct session *s = (struct session *)opaque(malloc(sizeof(*s))); /* ALLOC */

    memset(s, 0, sizeof(*s));
    s->uid = 1000;
    return s;
}

static NOINLINE void close_session(struct session *s)
{
    free(opaque(s)); /* FREE */
    forget();
}

static NOINLINE void become_root(struct session *s)
{
    s->uid = 0; /* BUG */
}

int main(void)
{
    struct session *s = open_session();

    if (IS_FIXED)
        become_root(s);
    close_session(s);
    if (!IS_FIXED)
        become_root((struct session *)opaque(s));
    printf("done\n");
    return 0;
}
