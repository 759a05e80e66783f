/* Parent and child point to each other, nobody to them. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

struct widget {
    struct widget *peer;
    char name[120];
};

static NOINLINE struct widget *make_widget(void)
{
    return (struct widget *)opaque(calloc(1, sizeof(struct widget))); /* ALLOC */
}

static NOINLINE void show_window(void)
{
    struct widget *parent = make_widget();
    struct widget *child = make_widget();

    parent->peer = child;
    child->peer = parent;
    if (IS_FIXED) {
        free(parent);
        free(child);
    }
}

int main(void)
{
    show_window();
    forget();
    printf("done\n");
    return 0;
}
