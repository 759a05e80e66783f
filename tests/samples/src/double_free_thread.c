/* Producer and consumer both think that the message is theirs to free. */
#include "sample.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE void consume(void *message)
{
    free(opaque(message)); /* FREE */
}

static void *consumer(void *message)
{
    consume(message);
    return NULL;
}

static NOINLINE void produce_done(void *message)
{
    free(opaque(message)); /* BUG */
}

int main(void)
{
    pthread_t thread;
    char *message = (char *)opaque(malloc(200)); /* ALLOC */

    memset(message, 'm', 200);
    pthread_create(&thread, NULL, consumer, message);
    pthread_join(thread, NULL);
    if (!IS_FIXED)
        produce_done(message);
    printf("done\n");
    return 0;
}
