/* A name runs over into the next field of the same structure: the block as such is whole. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct user {
    char name[8];
    int uid;
};

static NOINLINE void set_name(struct user *user, const char *name)
{
    char *to = (char *)opaque(user->name);

    for (size_t i = 0; i < PICK(7, 10) && name[i]; i++)
        to[i] = name[i]; /* BUG */
}

int main(void)
{
    struct user *user = (struct user *)opaque(calloc(1, sizeof(*user))); /* ALLOC */

    user->uid = 1000;
    set_name(user, "margarete-anna");
    printf("%.8s\n", user->name);
    free(user);
    return 0;
}
