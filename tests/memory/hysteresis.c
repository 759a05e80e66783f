/* A program that frees a large block and asks for it again does not pay the kernel every time. */
#include <stdlib.h>
#include <sys/resource.h>

#include "resident.h"
#include "tap.h"

enum { ROUNDS = 10000 };

static long minor_faults(struct rusage *usage)
{
    getrusage(RUSAGE_SELF, usage);
    return usage->ru_minflt;
}

static long cpu_us(const struct rusage *usage)
{
    return usage->ru_utime.tv_sec * 1000000 + usage->ru_utime.tv_usec +
           usage->ru_stime.tv_sec * 1000000 + usage->ru_stime.tv_usec;
}

/* Touches one page of each block; returns the page faults of all rounds. */
static long take_and_give(size_t bytes)
{
    struct rusage start, end;
    long before = minor_faults(&start);

    for (int round = 0; round < ROUNDS; round++) {
        volatile char *block = malloc(bytes);

        if (block == NULL)
            return -1;
        block[bytes / 2] = 1;
        free((void *)block);
    }
    long faults = minor_faults(&end) - before;

    tap_note("%zu MiB: %ld faults in %d rounds, %ld ns a round", bytes / MIB, faults, ROUNDS,
             (cpu_us(&end) - cpu_us(&start)) * 1000 / ROUNDS);
    return faults;
}

/* A queue that is filled and emptied, over and over, with one block above it that stays: printed
 * only, since when to give such pages back is a trade of memory for time. */
static void fill_and_drain(size_t bytes)
{
    enum { QUEUE = 100, TURNS = 100 };
    volatile char *queue[QUEUE], *pin = NULL;
    struct rusage start, end;
    long before = minor_faults(&start);

    for (int turn = 0; turn < TURNS; turn++) {
        for (int i = 0; i < QUEUE; i++) {
            queue[i] = malloc(bytes);
            if (queue[i] != NULL)
                queue[i][0] = 1;
        }
        if (turn == 0)
            pin = malloc(bytes);
        for (int i = 0; i < QUEUE; i++)
            free((void *)queue[i]);
    }
    tap_note("queue of %d blocks of %zu KiB, filled and emptied %d times: %ld faults", QUEUE,
             bytes / KIB, TURNS, minor_faults(&end) - before);
    free((void *)pin);
}

int main(void)
{
    long faults;

    tap_begin();
    faults = take_and_give(MIB);
    tap_ok(faults >= 0 && faults < ROUNDS / 2,
           "malloc and free of 1 MiB in turn does not fault every round");
    faults = take_and_give(4 * MIB);
    tap_ok(faults >= 0, "malloc and free of 4 MiB in turn always succeeds");
    fill_and_drain(16 * KIB);
    fill_and_drain(256 * KIB);
    return tap_finish();
}
