/* Threads that pass blocks to each other, in order: nothing for helgrind and DRD to report, unless
 * they take the allocator's own work, or memory that changed hands, for the program's. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 3
#define ROUNDS 60
#define PLACES 8

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *places[PLACES];
static unsigned sums[THREADS];

/* Puts a block where another one was, and ends that one. */
static unsigned exchange(unsigned number, unsigned round)
{
    size_t bytes = 1 + (number * 977 + round * 131) % (round % 20 == 0 ? 300000 : 3000);
    char *fresh = malloc(bytes), *old;
    unsigned sum = 0;

    if (fresh == NULL)
        abort();
    memset(fresh, (int)round, bytes);
    fresh[bytes - 1] = '\0';
    pthread_mutex_lock(&lock);
    old = places[round % PLACES];
    places[round % PLACES] = fresh;
    pthread_mutex_unlock(&lock);
    if (old != NULL) {
        sum = (unsigned char)old[0];
        old = realloc(old, 5000);
        old[4999] = 1;
    }
    free(old);
    return sum;
}

static void *work(void *argument)
{
    unsigned number = *(unsigned *)argument;

    for (unsigned round = 0; round < ROUNDS; round++)
        sums[number] += exchange(number, round);
    return calloc(1, 100);
}

static void run_threads(void)
{
    pthread_t threads[THREADS];
    unsigned numbers[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        if (pthread_create(&threads[i], NULL, work, &numbers[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *left = NULL;

        pthread_join(threads[i], &left);
        free(left);
    }
}

int main(void)
{
    run_threads();
    run_threads();
    for (unsigned i = 0; i < PLACES; i++)
        free(places[i]);
    printf("%d\n", sums[0] + sums[1] + sums[2] != 0);
    return 0;
}
