/* Only the child does wrong, and the parent ends with 0. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static NOINLINE short *make_row(int columns)
{
    return (short *)opaque(malloc((size_t)columns * sizeof(short))); /* ALLOC */
}

static NOINLINE void child_main(void)
{
    short *row = make_row(24);

    for (int i = 0; i < PICK(24, 26); i++)
        row[i] = (short)i; /* BUG */
    free(row);
}

int main(void)
{
    pid_t child = fork();

    if (child == 0) {
        child_main();
        _exit(0);
    }
    waitpid(child, NULL, 0);
    printf("done\n");
    return 0;
}
