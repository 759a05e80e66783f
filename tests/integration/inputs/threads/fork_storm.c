/* Threads allocate, and open, write, flush and close streams, without pause; meanwhile the main
 * thread forks, and each child must still be able to allocate, to free what it inherited, and to
 * print. Strictly POSIX promises the child less; glibc promises this much, so a drop-in must.
 *
 *   fork_storm plain|thread|memory COUNT
 *
 * In the "memory" variant streams of open_memstream are caught in the middle of a realloc; a child
 * that flushed those would be at fault itself, so there it leaves by _exit. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CHURN_SLOTS = 200,
    CHILD_BLOCKS = 300,
    CHILD_SECONDS = 20,
    PARENT_SECONDS = 60,
    MOST_FORKS = 10000,
    MOST_LINES = 4000,
    MOST_THREADS = 6,
};

static atomic_bool stopping;
static unsigned char *heirloom[CHILD_BLOCKS];

static void fail(const char *what)
{
    fprintf(stderr, "fork_storm: %s\n", what);
    _exit(1);
}

static uint32_t next_number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Two processors must also have time for the children. */
static void breathe(void)
{
    usleep(50);
}

static void *churn(void *argument)
{
    void *slots[CHURN_SLOTS] = {NULL};
    uint32_t state = (uint32_t)(uintptr_t)argument;

    while (!atomic_load(&stopping)) {
        uint32_t index = next_number(&state) % CHURN_SLOTS;
        free(slots[index]);
        slots[index] = malloc(1 + next_number(&state) % 3000);
        if (next_number(&state) % 512 == 0)
            breathe();
    }
    for (int index = 0; index < CHURN_SLOTS; index++)
        free(slots[index]);
    return NULL;
}

/* A fresh stream allocates its buffer while its own lock is held. */
static void *open_and_close(void *unused)
{
    (void)unused;
    while (!atomic_load(&stopping)) {
        FILE *stream = fopen("/dev/null", "w");
        if (stream == NULL)
            fail("fopen failed");
        fprintf(stream, "%d %s\n", 17, "first write, first buffer");
        fclose(stream);
        breathe();
    }
    return NULL;
}

/* What getline, open_memstream and printf do inside libc, made frequent: large blocks, which no
 * thread cache holds, come and go while a stream is locked. */
static void *allocate_under_stream_lock(void *argument)
{
    uint32_t state = (uint32_t)(uintptr_t)argument;
    FILE *stream = fopen("/dev/null", "w");

    if (stream == NULL)
        fail("fopen failed");
    while (!atomic_load(&stopping)) {
        flockfile(stream);
        for (int round = 0; round < 8; round++) {
            char *text = malloc(40000 + next_number(&state) % 60000);
            if (text == NULL)
                fail("out of memory");
            text[0] = 'x';
            putc_unlocked(text[0], stream);
            free(text);
        }
        funlockfile(stream);
        breathe();
    }
    fclose(stream);
    return NULL;
}

/* Holds the list of all streams while it waits for the lock of each. */
static void *flush_all(void *unused)
{
    (void)unused;
    while (!atomic_load(&stopping)) {
        fflush(NULL);
        breathe();
    }
    return NULL;
}

/* Most streams outgrow what a thread cache holds, so that realloc takes the allocator's locks. */
static void *grow_memory_stream(void *argument)
{
    uint32_t state = (uint32_t)(uintptr_t)argument;

    while (!atomic_load(&stopping)) {
        char *text = NULL;
        size_t bytes = 0;
        FILE *stream = open_memstream(&text, &bytes);
        if (stream == NULL)
            fail("open_memstream failed");
        for (uint32_t line = next_number(&state) % MOST_LINES; line > 0; line--)
            fputs("a line of a stream that grows\n", stream);
        fclose(stream);
        free(text);
        breathe();
    }
    return NULL;
}

static void inherit(void)
{
    for (int index = 0; index < CHILD_BLOCKS; index++) {
        heirloom[index] = malloc((size_t)(1 + index * 13));
        if (heirloom[index] == NULL)
            fail("out of memory");
        memset(heirloom[index], index, (size_t)(1 + index * 13));
    }
}

/* Frees the parent's blocks between allocations of its own; the sum depends on contents only. */
static unsigned long use_heap(void)
{
    unsigned long sum = 0;

    for (int index = 0; index < CHILD_BLOCKS; index++) {
        size_t bytes = (size_t)(1 + index * 13);
        unsigned char *copy = malloc(bytes);
        if (copy == NULL)
            fail("out of memory in the child");
        memcpy(copy, heirloom[index], bytes);
        free(heirloom[index]);
        copy = realloc(copy, bytes * 2);
        if (copy == NULL || copy[bytes - 1] != (unsigned char)index)
            fail("realloc lost the contents in the child");
        sum += copy[0] + bytes;
        free(copy);
    }
    return sum;
}

static void *use_heap_in_thread(void *ret_sum)
{
    *(unsigned long *)ret_sum = use_heap();
    return NULL;
}

static unsigned long use_heap_in_new_thread(void)
{
    unsigned long sum = 0;
    pthread_t thread;

    if (pthread_create(&thread, NULL, use_heap_in_thread, &sum) != 0)
        fail("pthread_create failed in the child");
    pthread_join(thread, NULL);
    return sum;
}

static _Noreturn void be_child(int number, const char *variant)
{
    unsigned long sum;

    alarm(CHILD_SECONDS);
    sum = strcmp(variant, "thread") == 0 ? use_heap_in_new_thread() : use_heap();
    printf("child %d: sum %lu\n", number, sum);
    if (strcmp(variant, "memory") != 0)
        exit(0);
    fflush(stdout);
    _exit(0);
}

static void fork_once(int number, const char *variant)
{
    int status;
    pid_t child = fork();

    if (child < 0)
        fail("fork failed");
    if (child == 0)
        be_child(number, variant);
    if (waitpid(child, &status, 0) != child)
        fail("waitpid failed");
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "fork_storm: child %d died of signal %d\n", number, WTERMSIG(status));
        _exit(1);
    }
    if (WEXITSTATUS(status) != 0)
        fail("a child failed");
}

static int start_threads(pthread_t *threads, const char *variant)
{
    void *(*const stream_work)(void *) = strcmp(variant, "memory") == 0 ? grow_memory_stream
                                                                        : open_and_close;
    void *(*const work[MOST_THREADS])(void *) = {
        churn, churn, stream_work, stream_work, flush_all, allocate_under_stream_lock,
    };

    for (int index = 0; index < MOST_THREADS; index++)
        if (pthread_create(&threads[index], NULL, work[index], (void *)(uintptr_t)index) != 0)
            fail("pthread_create failed");
    return MOST_THREADS;
}

int main(int count, char **arguments)
{
    pthread_t threads[MOST_THREADS];
    int forks = count == 3 ? atoi(arguments[2]) : 0;

    if (forks < 1 || forks > MOST_FORKS)
        fail("usage: fork_storm plain|thread|memory COUNT");
    alarm(PARENT_SECONDS);
    inherit();
    int started = start_threads(threads, arguments[1]);
    for (int number = 0; number < forks; number++)
        fork_once(number, arguments[1]);
    atomic_store(&stopping, true);
    for (int index = 0; index < started; index++)
        pthread_join(threads[index], NULL);
    for (int index = 0; index < CHILD_BLOCKS; index++)
        free(heirloom[index]);
    printf("%d children\n", forks);
    return 0;
}
