/* A bounded stress of the allocator by threads that make blocks, hand them to each other, and end
 * what others made; short-lived threads leave blocks behind for the rest. Every block is filled
 * with a pattern of its own, which is verified whenever the block changes hands or ends.
 *
 *   stress [-t threads] [-s steps] [-d milliseconds] [-r seed] [-b most bytes] [-c churn]
 *
 * A thread stops after its steps or when the time is over; with -d 0 only the steps count, and the
 * sequence of each thread is the seed's alone. Threads share nothing but mutexes, so that a race
 * detector has nothing to say about this file. With STRESS_PREFIX the heap is sg_test_malloc and
 * so on, for linking with tiers that were built for such a detector. */
#include <getopt.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef STRESS_PREFIX
extern void *sg_test_malloc(size_t bytes);
extern void *sg_test_calloc(size_t count, size_t bytes);
extern void *sg_test_realloc(void *block, size_t bytes);
extern void *sg_test_aligned_alloc(size_t alignment, size_t bytes);
extern void sg_test_free(void *block);
#define HEAP(name) sg_test_##name
#else
#define HEAP(name) name
#endif

enum { OWN_BLOCKS = 200, BOXES = 32, BOX_BLOCKS = 48, THREADS_MOST = 64, NOMAD_BLOCKS = 60 };

struct block {
    unsigned char *at; /* NULL: there is none */
    size_t bytes;
    size_t alignment;
    uint64_t tag;
};

/* Where blocks change hands. */
struct box {
    pthread_mutex_t lock;
    int count;                       /* lock */
    struct block blocks[BOX_BLOCKS]; /* lock */
};

struct worker {
    pthread_t thread;
    uint64_t random;
    uint64_t next_tag;
    unsigned long made, ended, handed_over;
};

static struct box boxes[BOXES];

/* Constant once threads run. */
static struct {
    unsigned threads, steps, milliseconds, churn;
    uint64_t seed;
    size_t most_bytes;
} options = {4, 2000000, 2000, 2, 1, 1 << 20};
static struct timespec deadline;

static void fail(const char *what, const struct block *block)
{
    fprintf(stderr, "stress: %s: a block of %zu bytes at %p, alignment %zu, tag %#llx\n", what,
            block->bytes, (void *)block->at, block->alignment, (unsigned long long)block->tag);
    _exit(3);
}

static uint64_t next_random(struct worker *self)
{
    self->random = self->random * 6364136223846793005u + 1442695040888963407u;
    return self->random >> 24;
}

static unsigned choose(struct worker *self, unsigned count)
{
    return (unsigned)(next_random(self) % count);
}

/* Three in four below 1 KiB, one in five below 64 KiB, the rest up to the most; in each range
 * every magnitude is as frequent as the next. */
static size_t random_bytes(struct worker *self)
{
    unsigned kind = choose(self, 100);
    size_t top = kind < 75 ? 1024 : kind < 98 ? 65536 : options.most_bytes;
    size_t magnitude = 1;

    while (magnitude < top && choose(self, 8) != 0)
        magnitude *= 2;
    magnitude = magnitude < options.most_bytes ? magnitude : options.most_bytes;
    return 1 + next_random(self) % magnitude;
}

static uint64_t pattern(uint64_t tag, size_t index)
{
    return (tag + index) * 0x9e3779b97f4a7c15u;
}

static void fill(const struct block *block)
{
    size_t words = block->bytes / 8;

    for (size_t i = 0; i < words; i++) {
        uint64_t word = pattern(block->tag, i);

        memcpy(block->at + i * 8, &word, 8);
    }
    memset(block->at + words * 8, (int)(block->tag & 0xff), block->bytes % 8);
}

/* The first `bytes` still hold what fill() wrote. */
static bool is_whole(const struct block *block, size_t bytes)
{
    size_t words = bytes / 8, wrong = 0;

    for (size_t i = 0; i < words; i++) {
        uint64_t word;

        memcpy(&word, block->at + i * 8, 8);
        wrong += word != pattern(block->tag, i);
    }
    if (bytes == block->bytes)
        for (size_t i = words * 8; i < bytes; i++)
            wrong += block->at[i] != (unsigned char)block->tag;
    return wrong == 0;
}

static void verify(const struct block *block)
{
    if (!is_whole(block, block->bytes))
        fail("the content changed under its owner", block);
}

static bool is_zero(const struct block *block)
{
    size_t wrong = 0;

    for (size_t i = 0; i < block->bytes; i++)
        wrong += block->at[i] != 0;
    return wrong == 0;
}

static struct block make(struct worker *self)
{
    unsigned how = choose(self, 8);
    struct block block = {NULL, random_bytes(self), 16, self->next_tag++};

    if (how == 0) {
        block.at = HEAP(calloc)(1, block.bytes);
        if (block.at != NULL && !is_zero(&block))
            fail("calloc gave something else than zeros", &block);
    } else if (how == 1) {
        block.alignment = (size_t)16 << choose(self, 9);
        block.at = HEAP(aligned_alloc)(block.alignment, block.bytes);
    } else {
        block.at = HEAP(malloc)(block.bytes);
    }
    if (block.at == NULL)
        fail("there was no memory", &block);
    if ((uintptr_t)block.at % block.alignment != 0)
        fail("the address is not aligned", &block);
    fill(&block);
    self->made++;
    return block;
}

static void end(struct worker *self, struct block *block)
{
    if (block->at == NULL)
        return;
    verify(block);
    HEAP(free)(block->at);
    block->at = NULL;
    self->ended++;
}

static void resize(struct worker *self, struct block *block)
{
    size_t bytes = choose(self, 4) != 0 ? random_bytes(self) : block->bytes + choose(self, 40);
    size_t kept = bytes < block->bytes ? bytes : block->bytes;

    verify(block);
    block->at = HEAP(realloc)(block->at, bytes);
    if (block->at == NULL)
        fail("there was no memory to resize", block);
    if (!is_whole(block, kept))
        fail("realloc lost content", block);
    block->bytes = bytes;
    block->alignment = 16;
    fill(block);
}

/* Leaves the block in a box, or with its owner when the box is full. */
static void hand_over(struct worker *self, struct block *block)
{
    struct box *box = &boxes[choose(self, BOXES)];

    pthread_mutex_lock(&box->lock);
    if (box->count < BOX_BLOCKS) {
        box->blocks[box->count++] = *block;
        block->at = NULL;
        self->handed_over++;
    }
    pthread_mutex_unlock(&box->lock);
}

static struct block take_over(struct box *box)
{
    struct block block = {NULL, 0, 0, 0};

    pthread_mutex_lock(&box->lock);
    if (box->count > 0)
        block = box->blocks[--box->count];
    pthread_mutex_unlock(&box->lock);
    return block;
}

static bool is_time_over(void)
{
    struct timespec now;

    if (options.milliseconds == 0)
        return false;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > deadline.tv_sec ||
           (now.tv_sec == deadline.tv_sec && now.tv_nsec >= deadline.tv_nsec);
}

static void take_a_step(struct worker *self, struct block *own)
{
    struct block *block = &own[choose(self, OWN_BLOCKS)];
    unsigned what = choose(self, 10);

    if (what < 3) {
        struct block other = take_over(&boxes[choose(self, BOXES)]);

        end(self, &other);
    } else if (block->at == NULL) {
        *block = make(self);
    } else if (what < 6) {
        hand_over(self, block);
    } else if (what < 7) {
        resize(self, block);
    } else {
        end(self, block);
    }
}

static void *work(void *pointer)
{
    struct worker *self = pointer;
    struct block own[OWN_BLOCKS] = {{0}};

    for (unsigned step = 0; step < options.steps; step++) {
        if (step % 64 == 0 && is_time_over())
            break;
        take_a_step(self, own);
    }
    for (int i = 0; i < OWN_BLOCKS; i++)
        end(self, &own[i]);
    return NULL;
}

/* Lives for a few blocks and leaves most of them to others. */
static void *wander(void *pointer)
{
    struct worker *self = pointer;

    for (int i = 0; i < NOMAD_BLOCKS; i++) {
        struct block block = make(self);

        hand_over(self, &block);
        end(self, &block);
    }
    return NULL;
}

static void start(struct worker *worker, unsigned number, void *(*run)(void *))
{
    *worker =
        (struct worker){.random = options.seed * 7919 + number, .next_tag = (uint64_t)number << 40};
    for (int i = 0; i < 8; i++)
        next_random(worker);
    if (pthread_create(&worker->thread, NULL, run, worker) != 0) {
        perror("stress: pthread_create");
        exit(4);
    }
}

static void finish(struct worker *worker, struct worker *total)
{
    pthread_join(worker->thread, NULL);
    total->made += worker->made;
    total->ended += worker->ended;
    total->handed_over += worker->handed_over;
}

/* Short-lived threads, `churn` at a time, until the workers' time or share of steps is over. */
static void churn(struct worker *total)
{
    struct worker nomads[THREADS_MOST];
    unsigned number = THREADS_MOST;

    for (unsigned round = 0; round < options.steps / 2000 + 1 && !is_time_over(); round++) {
        for (unsigned i = 0; i < options.churn; i++)
            start(&nomads[i], number++, wander);
        for (unsigned i = 0; i < options.churn; i++)
            finish(&nomads[i], total);
    }
}

static unsigned long number_of(const char *text, unsigned long most)
{
    char *rest;
    unsigned long value = strtoul(text, &rest, 10);

    if (*rest != '\0' || value > most) {
        fprintf(stderr, "stress: %s is not a number up to %lu\n", text, most);
        exit(2);
    }
    return value;
}

static void read_options(int argc, char **argv)
{
    for (int option; (option = getopt(argc, argv, "t:s:d:r:b:c:")) != -1;) {
        if (option == 't')
            options.threads = (unsigned)number_of(optarg, THREADS_MOST);
        else if (option == 's')
            options.steps = (unsigned)number_of(optarg, 100000000);
        else if (option == 'd')
            options.milliseconds = (unsigned)number_of(optarg, 600000);
        else if (option == 'r')
            options.seed = number_of(optarg, UINT32_MAX);
        else if (option == 'b')
            options.most_bytes = number_of(optarg, 1 << 28) | 1;
        else if (option == 'c')
            options.churn = (unsigned)number_of(optarg, THREADS_MOST);
        else
            exit(2);
    }
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += options.milliseconds / 1000;
    deadline.tv_nsec += options.milliseconds % 1000 * 1000000L;
    deadline.tv_sec += deadline.tv_nsec / 1000000000;
    deadline.tv_nsec %= 1000000000;
}

int main(int argc, char **argv)
{
    static struct worker workers[THREADS_MOST], total;

    read_options(argc, argv);
    for (int i = 0; i < BOXES; i++)
        pthread_mutex_init(&boxes[i].lock, NULL);
    for (unsigned i = 0; i < options.threads; i++)
        start(&workers[i], i, work);
    if (options.churn > 0)
        churn(&total);
    for (unsigned i = 0; i < options.threads; i++)
        finish(&workers[i], &total);
    for (int i = 0; i < BOXES; i++)
        for (struct block block; (block = take_over(&boxes[i])).at != NULL;)
            end(&total, &block);
    printf("made=%lu ended=%lu handed_over=%lu\n", total.made, total.ended, total.handed_over);
    return total.made == total.ended && total.made > 0 ? 0 : 1;
}
