/* What the capture of a stack costs: prints nanoseconds, judges nothing.
 *
 *   same   one stack again and again
 *   four   four stacks in turn
 *   new    each stack seen for the first time, by rules that are known
 *   walk   sg_unwind() alone, for comparison */
#include "capture.h"
#include "unwind.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROUNDS 5
#define KEEP_FRAME __asm__ volatile("" ::: "memory")

struct job {
    unsigned depth;
    unsigned captures;
    unsigned long path; /* one bit for each frame: which of two functions it is */
    void (*capture)(unsigned depth);
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void by_capture(unsigned depth)
{
    KEEP_FRAME;
    if (sg_capture(depth) == 0)
        printf("# no stack\n");
}

static void by_walk(unsigned depth)
{
    uintptr_t frames[64];

    if (sg_unwind(frames, depth, NULL) == 0)
        printf("# no stack\n");
}

static void left(const struct job *job, unsigned level);
static void right(const struct job *job, unsigned level);

static inline void next(const struct job *job, unsigned level)
{
    if (level == 0) {
        for (unsigned i = 0; i < job->captures; i++)
            job->capture(job->depth);
        return;
    }
    if (job->path >> level & 1)
        left(job, level - 1);
    else
        right(job, level - 1);
}

static __attribute__((noinline, noipa)) void left(const struct job *job, unsigned level)
{
    next(job, level);
    KEEP_FRAME;
}

static __attribute__((noinline, noipa)) void right(const struct job *job, unsigned level)
{
    volatile char room[40];

    room[level % 40] = 1;
    next(job, level);
    room[0] = room[level % 40];
    KEEP_FRAME;
}

static double time_of(const struct job *job, unsigned paths, unsigned times)
{
    struct job one = *job;
    uint64_t start = now_ns();

    for (unsigned i = 0; i < times; i++) {
        one.path = (job->path + i % paths) << 1;
        left(&one, job->depth);
    }
    return (double)(now_ns() - start) / times / job->captures;
}

static double best(const struct job *job, unsigned paths, unsigned times)
{
    struct job fresh = *job;
    double least = 1e9;

    for (unsigned i = 0; i < ROUNDS; i++) {
        double ns = time_of(&fresh, paths, times);

        least = ns < least ? ns : least;
        if (paths == times) /* all new: not those of the last round */
            fresh.path += paths;
    }
    return least;
}

static void print(unsigned depth)
{
    struct job job = {.depth = depth, .captures = 1000, .path = 5, .capture = by_capture};
    double same = best(&job, 1, 100), four, fresh, walk;

    job.captures = 1;
    four = best(&job, 4, 40000);
    job.path = 1ul << depth >> 1;
    fresh = best(&job, 1u << (depth < 12 ? depth - 4 : 10), 1u << (depth < 12 ? depth - 4 : 10));
    job.capture = by_walk;
    job.path = 5;
    walk = best(&job, 4, 40000);
    printf("depth %2u: same %6.1f  four %6.1f  new %6.1f  walk %6.1f ns\n", depth, same, four,
           fresh, walk);
}

int main(void)
{
    static const unsigned depths[] = {8, 16, 24};

    for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++)
        print(depths[i]);
    return 0;
}
