/* A session is asked whose it is after it was closed. */
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

    s->id = 1;
    s->uid = 1000;
    strcpy(s->name, "alice");
    return s;
}

static NOINLINE void close_session(struct session *s)
{
    free(opaque(s)); /* FREE */
    forget();
}

static NOINLINE int is_root(const struct session *s)
{
    return s->uid == 0; /* BUG */
}

int main(void)
{
    struct session *s = open_session();

    if (IS_FIXED)
        printf("%d\n", is_root(s) > 1);
    close_session(s);
    if (!IS_FIXED)
        printf("%d\n", is_root((struct session *)opaque(s)) > 1);
    return 0;
}
