/* Two threads that write to one block, in no order. */
#include <pthread.h>
#include <stdlib.h>

static void *work(void *block)
{
    (*(volatile int *)block)++;
    return NULL;
}

int main(void)
{
    pthread_t threads[2];
    void *block = calloc(1, 64);

    for (int i = 0; i < 2; i++)
        if (block == NULL || pthread_create(&threads[i], NULL, work, block) != 0)
            return 1;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    free(block);
    return 0;
}
