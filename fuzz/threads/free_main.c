/* The same actions by threads that run freely, on all processors, with a yield at a sync point now
 * and then: for mistakes of memory order, which one thread at a time cannot show. Made for
 * ThreadSanitizer; without it faster, and for other interleavings.
 *
 *   free SECONDS SEED     TAP; at least one round */
#include "actions.h"
#include "laboratory.h"
#include "lifecycle.h"
#include "os_thread.h"
#include "scheduler.h"
#include "target.h"
#include "walk.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ACTIONS_PER_ROUND 500u
#define YIELD_CHANCE 512u /* one sync point in so many: on a busy machine a yield takes long */
#define DELAYS 16u        /* so many in YIELD_CHANCE are a short delay */
#define SIZES 3u

/* What one round is like: few slots, few sizes, so that threads meet. */
static struct {
    uint64_t seed;
    unsigned threads;
    unsigned slots;
    char options[LABORATORY_OPTIONS_BYTES];
    uint8_t kind[SIZES];
    uint8_t index[SIZES];
} round_;

static __thread struct random yields;

static void on_sync(enum sync_site site, const volatile void *object)
{
    (void)site;
    (void)object;
    uint32_t number = random_below(&yields, YIELD_CHANCE);

    if (number == 0)
        sched_yield();
    for (uint32_t i = 0; number < DELAYS && i < number * 64; i++)
        os_relax();
}

static uint8_t byte_below(struct random *random, uint32_t limit)
{
    return (uint8_t)random_below(random, limit);
}

static void draw_round(uint64_t seed, uint64_t number)
{
    static const unsigned slots[4] = {2, 4, 12, 32};
    static const uint8_t kinds[8] = {0, 0, 0, 1, 1, 2, 2, 3};
    static const size_t cache_bytes[4] = {0, 64 * KIB, 256 * KIB, 8 * MIB};
    static const char *const profiles[4] = {"hardened", "fast", "strict", "hardened"};
    struct random random = target_random(seed, number);

    round_.seed = random_next(&random);
    round_.threads = 2 + random_below(&random, 3);
    round_.slots = slots[random_below(&random, 4)];
    for (unsigned i = 0; i < SIZES; i++) {
        round_.kind[i] = kinds[random_below(&random, 8)];
        round_.index[i] = byte_below(&random, 256);
    }
    snprintf(round_.options, sizeof(round_.options),
             "profile=%s:thread_cache_bytes=%zu:dirty_bytes=%zu",
             profiles[random_below(&random, 4)], cache_bytes[random_below(&random, 4)],
             random_below(&random, 2) * 256 * KIB);
}

/* What is slow is done less often. */
static uint8_t draw_op(struct random *random)
{
    uint8_t op = byte_below(random, 16);

    /* Two forks at once wait for each other's patience, lock by lock. */
    if ((op >= ACTION_STATISTICS && random_below(random, 8) != 0) ||
        (op == ACTION_FREEZE && random_below(random, 16) != 0))
        op = byte_below(random, ACTION_STATISTICS);
    return op;
}

static void *run(void *number)
{
    struct random random = target_random(round_.seed, (uintptr_t)number);

    yields = target_random(round_.seed + 1, (uintptr_t)number);
    for (unsigned i = 0; i < ACTIONS_PER_ROUND; i++) {
        unsigned size = random_below(&random, SIZES);
        const uint8_t record[ACTION_BYTES] = {
            draw_op(&random),
            (uint8_t)(random_below(&random, round_.slots) | (unsigned)round_.kind[size] << 6),
            round_.index[size],
            byte_below(&random, 256),
        };
        struct action action = action_of(record);

        if (action.op == ACTION_EXIT)
            actions_retire();
        else
            actions_perform(&action);
    }
    return NULL; /* its cache ends with it */
}

static void play_round(void)
{
    pthread_t threads[SCHEDULER_THREADS_MAX];
    const struct laboratory_settings settings = {.seed = round_.seed, .options = round_.options};

    laboratory_begin(&settings);
    lifecycle_start();
    actions_start(false, true);
    laboratory.sync = on_sync;
    for (unsigned i = 0; i < round_.threads; i++)
        if (pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)i) != 0)
            shadow_fail("no more threads", OPS_SLOTS);
    for (unsigned i = 0; i < round_.threads; i++)
        pthread_join(threads[i], NULL);
    laboratory.sync = NULL;
    walk_check(actions_shadow());
    walk_statistics(actions_shadow());
    actions_end();
    actions_retire();
    walk_end();
    laboratory_end();
}

int main(int count, char **arguments)
{
    uint64_t seed = count > 2 ? strtoull(arguments[2], NULL, 0) : 1;
    time_t end = time(NULL) + (count > 1 ? atoi(arguments[1]) : 1);
    uint64_t rounds = 0;

    do {
        draw_round(seed, rounds);
        play_round();
        rounds++;
    } while (time(NULL) < end);
    printf("ok 1 - threads run freely: %llu rounds of seed %llu\n1..1\n",
           (unsigned long long)rounds, (unsigned long long)seed);
    return 0;
}
