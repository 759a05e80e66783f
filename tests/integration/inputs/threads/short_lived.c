/* Waves of threads. Each frees the blocks that a thread of the wave before left to it, so every
 * second block is freed by another thread after its owner has ended; some are freed later still,
 * by a destructor of thread-specific data. The checksum is the same in every run. */

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAVE = 16, BLOCKS = 64, LARGEST_BYTES = 20000, MOST_THREADS = 100000 };

struct block {
    unsigned char *start;
    size_t bytes;
    unsigned char fill;
};

struct worker {
    pthread_t thread;
    uint32_t seed;
    uint64_t checksum;
    struct block inherited[BLOCKS / 2];
};

static struct worker workers[WAVE];
static pthread_key_t last_words;

static uint32_t next_number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void fail(const char *what)
{
    fprintf(stderr, "short_lived: %s\n", what);
    exit(1);
}

static struct block acquire(uint32_t *state)
{
    struct block block = {NULL, 1 + next_number(state) % LARGEST_BYTES, 0};

    if (next_number(state) % 4 != 0)
        block.bytes = 1 + block.bytes % 256;
    block.fill = (unsigned char)next_number(state);
    block.start = malloc(block.bytes);
    if (block.start == NULL)
        fail("out of memory");
    memset(block.start, block.fill, block.bytes);
    return block;
}

static uint64_t verify(const struct block *block)
{
    uint64_t sum = 0;

    for (size_t index = 0; index < block->bytes; index++) {
        if (block->start[index] != block->fill)
            fail("a block has changed");
        sum += block->start[index];
    }
    return sum;
}

static void release(struct block *block)
{
    free(block->start);
    block->start = NULL;
}

static void resize(struct block *block, size_t bytes)
{
    unsigned char *moved = realloc(block->start, bytes);

    if (moved == NULL)
        fail("realloc failed");
    if (bytes > block->bytes)
        memset(moved + block->bytes, block->fill, bytes - block->bytes);
    block->start = moved;
    block->bytes = bytes;
}

static void free_last_words(void *text)
{
    free(text);
    free(strdup("allocated while the thread is ending"));
}

static void *work(void *argument)
{
    struct worker *self = argument;
    struct block blocks[BLOCKS];

    pthread_setspecific(last_words, strdup("freed by a destructor"));
    for (int index = 0; index < BLOCKS; index++) {
        blocks[index] = acquire(&self->seed);
        if (index % 8 == 0)
            resize(&blocks[index], 1 + next_number(&self->seed) % LARGEST_BYTES);
    }
    for (int index = 0; index < BLOCKS / 2; index++) {
        if (self->inherited[index].start != NULL) {
            self->checksum += verify(&self->inherited[index]);
            release(&self->inherited[index]);
        }
    }
    for (int index = 0; index < BLOCKS; index++) {
        self->checksum += verify(&blocks[index]);
        if (index % 2 == 0)
            release(&blocks[index]);
        else
            self->inherited[index / 2] = blocks[index];
    }
    return NULL;
}

/* The next wave's worker i inherits from worker i + 1 of this one. */
static void pass_on(void)
{
    struct block first[BLOCKS / 2];

    memcpy(first, workers[0].inherited, sizeof first);
    for (int index = 0; index + 1 < WAVE; index++)
        memcpy(workers[index].inherited, workers[index + 1].inherited, sizeof first);
    memcpy(workers[WAVE - 1].inherited, first, sizeof first);
}

static void run_wave(int wave)
{
    for (int index = 0; index < WAVE; index++) {
        workers[index].seed = (uint32_t)(wave * WAVE + index);
        if (pthread_create(&workers[index].thread, NULL, work, &workers[index]) != 0)
            fail("pthread_create failed");
    }
    for (int index = 0; index < WAVE; index++)
        pthread_join(workers[index].thread, NULL);
    pass_on();
}

int main(int count, char **arguments)
{
    int threads = count == 2 ? atoi(arguments[1]) : 0;
    uint64_t checksum = 0;

    if (threads < WAVE || threads > MOST_THREADS || threads % WAVE != 0)
        fail("usage: short_lived COUNT, a multiple of 16");
    if (pthread_key_create(&last_words, free_last_words) != 0)
        fail("pthread_key_create failed");
    for (int wave = 0; wave < threads / WAVE; wave++)
        run_wave(wave);
    for (int index = 0; index < WAVE; index++) {
        checksum = checksum * 31 + workers[index].checksum;
        for (int left = 0; left < BLOCKS / 2; left++)
            release(&workers[index].inherited[left]);
    }
    printf("%d threads, checksum %016llx\n", threads, (unsigned long long)checksum);
    return 0;
}
