/* Signal handlers that allocate while the interrupted code does too. The language forbids it,
 * programs do it. Every block is filled with a tag of its owner and verified before its end: two
 * owners of one block show. `signals timer|directed`; prints "whole" and leaves with status 0. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { MAIN_BLOCKS = 200, HANDLER_BLOCKS = 16, MILLISECONDS = 1500, SIGNALS_MOST = 20000 };

struct owned {
    unsigned char *at;
    size_t bytes;
    unsigned char tag;
};

static struct owned in_main[MAIN_BLOCKS], in_handler[HANDLER_BLOCKS];
static volatile sig_atomic_t signals_seen;
static atomic_bool done;

static void fail(const char *what)
{
    if (write(STDOUT_FILENO, what, strlen(what)) < 0)
        _exit(4);
    _exit(3);
}

static void end_block(struct owned *block)
{
    for (size_t i = 0; i < block->bytes; i++)
        if (block->at[i] != block->tag)
            fail("a block changed under its owner\n");
    free(block->at);
    block->at = NULL;
    block->bytes = 0;
}

static void replace_block(struct owned *block, size_t bytes, unsigned char tag)
{
    end_block(block);
    block->at = malloc(bytes);
    if (block->at == NULL)
        fail("malloc failed\n");
    block->bytes = bytes;
    block->tag = tag;
    memset(block->at, tag, bytes);
}

static size_t size_of_step(unsigned step)
{
    static const size_t sizes[] = {24, 24, 24, 100, 100, 1000, 5000, 24, 100, 70000};

    return sizes[step % 10] + (step % 1009 == 0 ? 300000 : 0);
}

static void on_signal(int number)
{
    int saved = errno;
    unsigned step = (unsigned)signals_seen++;

    (void)number;
    for (unsigned i = 0; i < 4; i++)
        replace_block(&in_handler[(step * 4 + i) % HANDLER_BLOCKS], size_of_step(step + i),
                      (unsigned char)(0x80 + step % 100));
    errno = saved;
}

static void *send_signals(void *target)
{
    struct timespec pause = {0, 50000};

    for (int i = 0; i < SIGNALS_MOST && !atomic_load(&done); i++) {
        pthread_kill(*(pthread_t *)target, SIGUSR1);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static void handle(int number)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    sigfillset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void set_timer(long microseconds)
{
    struct itimerval timer = {{0, microseconds}, {0, microseconds}};

    setitimer(ITIMER_REAL, &timer, NULL);
}

static void allocate_for_a_while(void)
{
    double end = now_ms() + MILLISECONDS;

    for (unsigned step = 1; now_ms() < end; step++)
        for (unsigned i = 0; i < 50; i++)
            replace_block(&in_main[(step * 50 + i) * 7 % MAIN_BLOCKS], size_of_step(step + i * 3),
                          (unsigned char)(step % 100 + 1));
}

int main(int argc, char **argv)
{
    int directed = argc > 1 && strcmp(argv[1], "directed") == 0;
    pthread_t self = pthread_self(), sender;

    handle(SIGALRM);
    handle(SIGUSR1);
    if (directed && pthread_create(&sender, NULL, send_signals, &self) != 0)
        return 5;
    if (!directed)
        set_timer(100);
    allocate_for_a_while();
    set_timer(0);
    atomic_store(&done, true);
    if (directed)
        pthread_join(sender, NULL);
    for (int i = 0; i < MAIN_BLOCKS; i++)
        end_block(&in_main[i]);
    for (int i = 0; i < HANDLER_BLOCKS; i++)
        end_block(&in_handler[i]);
    printf("whole after %d signals\n", (int)signals_seen);
    return signals_seen < 100;
}
