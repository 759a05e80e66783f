/* CPU time of a malloc and its free, in several shapes. One run measures every shape once and
 * prints one line each: name, bytes, blocks live, then ns per pair: median, lowest and mean of
 * the chunks. Arguments, if any, name the shapes to run, as `random` or `random-64`. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pairs.h"
#include "which_malloc.h"

#define SEED 0x9e3779b97f4a7c15u

enum { CHUNKS = 11, WARM_NS = 10 * 1000 * 1000, CHUNK_NS = 2 * 1000 * 1000, MOST_PAIRS = 1 << 24 };

struct shape {
    const char *name;
    size_t live_small, live_16k, live_256k; /* 0: the shape has no such size */
};

/* clang-format off */
static const struct shape shapes[] = {
    {"same",     1,     1,    1},
    {"fifo",     1000,  2000, 0},
    {"random",   10000, 2000, 500},
    {"threads",  100,   100,  16},
    {"handover", 4096,  2048, 1024},
};
/* clang-format on */

static const size_t block_sizes[] = {16, 64, 256, 1024, 16 << 10, 256 << 10};

static void *live_blocks[MOST_LIVE];

struct measurement {
    const struct shape *shape;
    struct workload work;
    struct crew *crew;
    double ns[CHUNKS];
};

static double cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static size_t run_pairs(struct measurement *measured, size_t pairs)
{
    const char *name = measured->shape->name;

    if (measured->crew != NULL)
        return crew_run(measured->crew, pairs);
    if (strcmp(name, "same") == 0)
        return run_same(&measured->work, pairs);
    if (strcmp(name, "fifo") == 0)
        return run_fifo(&measured->work, pairs);
    return run_random(&measured->work, pairs);
}

/* First faults and what an allocator learns at the start are not what a pair costs. */
static void warm_up(struct measurement *measured)
{
    double start = cpu_ns();

    while (cpu_ns() - start < WARM_NS)
        run_pairs(measured, 64);
}

/* Doubles the chunk until it is long enough to time. */
static size_t calibrate(struct measurement *measured)
{
    size_t pairs = 64;

    for (; pairs < MOST_PAIRS; pairs *= 2) {
        double start = cpu_ns();

        run_pairs(measured, pairs);
        if (cpu_ns() - start >= CHUNK_NS)
            break;
    }
    return pairs;
}

static void measure_chunks(struct measurement *measured)
{
    warm_up(measured);

    size_t pairs = calibrate(measured);

    for (int i = 0; i < CHUNKS; i++) {
        double start = cpu_ns();
        size_t done = run_pairs(measured, pairs);

        measured->ns[i] = (cpu_ns() - start) / (double)done;
    }
}

static void measure(struct measurement *measured)
{
    bool handover = strcmp(measured->shape->name, "handover") == 0;
    bool random = strcmp(measured->shape->name, "random") == 0;

    if (handover || strcmp(measured->shape->name, "threads") == 0)
        measured->crew = crew_start(&measured->work, handover);
    else
        pin_heap(&measured->work);
    if (random)
        fill_live(&measured->work);
    measure_chunks(measured);
    if (random)
        drain_live(&measured->work);
    if (measured->crew != NULL)
        crew_stop(measured->crew);
    else
        unpin_heap(&measured->work);
}

static int compare_ns(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static void report(struct measurement *measured)
{
    double sum = 0;

    for (int i = 0; i < CHUNKS; i++)
        sum += measured->ns[i];
    qsort(measured->ns, CHUNKS, sizeof(double), compare_ns);
    printf("%s\t%zu\t%zu\t%.2f\t%.2f\t%.2f\n", measured->shape->name, measured->work.block_bytes,
           measured->work.live_count, measured->ns[CHUNKS / 2], measured->ns[0], sum / CHUNKS);
}

static size_t live_count(const struct shape *shape, size_t bytes)
{
    if (bytes <= 1024)
        return shape->live_small;
    return bytes <= 16 << 10 ? shape->live_16k : shape->live_256k;
}

static bool is_wanted(const char *name, size_t bytes, char **wanted)
{
    char full_name[64];

    snprintf(full_name, sizeof full_name, "%s-%zu", name, bytes);
    if (*wanted == NULL)
        return true;
    for (; *wanted != NULL; wanted++)
        if (strcmp(*wanted, name) == 0 || strcmp(*wanted, full_name) == 0)
            return true;
    return false;
}

static void *sleep_for_ever(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static void run_all(char **wanted)
{
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        for (size_t b = 0; b < sizeof block_sizes / sizeof block_sizes[0]; b++) {
            struct measurement measured = {.shape = &shapes[s]};
            size_t bytes = block_sizes[b], live = live_count(&shapes[s], bytes);

            if (live == 0 || !is_wanted(shapes[s].name, bytes, wanted))
                continue;
            measured.work = (struct workload){
                .block_bytes = bytes, .live_count = live, .live = live_blocks, .random = SEED};
            measure(&measured);
            report(&measured);
        }
    }
}

int main(int argc, char **argv)
{
    pthread_t sleeper;

    (void)argc;
    /* While a second thread lives, glibc takes its locked paths, as it does in any server. */
    if (pthread_create(&sleeper, NULL, sleep_for_ever, NULL) != 0)
        return 1;
    printf("# malloc from %s\n", which_malloc());
    run_all(argv + 1);
    fflush(stdout);
    _exit(0);
}
