/* What a thread keeps only on its stack is lost when it ends. */
#include "sample.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static NOINLINE void serve(void)
{
    char *buffer = (char *)opaque(malloc(3000)); /* ALLOC */

    buffer[0] = 'b';
    if (IS_FIXED)
        free(buffer);
}

static void *worker(void *argument)
{
    serve();
    forget();
    return argument;
}

int main(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, worker, NULL);
    pthread_join(thread, NULL);
    forget();
    printf("done\n");
    return 0;
}
