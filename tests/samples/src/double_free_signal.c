/* A signal handler frees what the program frees at its end. */
#include "sample.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static char *scratch;

static NOINLINE void on_signal(int number)
{
    (void)number;
    free(opaque(scratch)); /* FREE */
    if (IS_FIXED)
        scratch = NULL;
}

static NOINLINE void clean_up(void)
{
    free(opaque(scratch)); /* BUG */
    scratch = NULL;
}

int main(void)
{
    signal(SIGUSR1, on_signal);
    scratch = (char *)opaque(malloc(300)); /* ALLOC */
    raise(SIGUSR1);
    clean_up();
    printf("done\n");
    return 0;
}
