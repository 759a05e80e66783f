/* The depot: one number for each stack, whoever puts it at the same time; bounded memory. */
#include "test.h"

#include "depot.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4
#define STACKS 20000u
#define ROUNDS 3

/* The n-th of a number of stacks of all lengths, some the beginning of another. */
static uint32_t nth(uint32_t n, uintptr_t *frames)
{
    uint32_t count = 1 + n % DEPOT_FRAMES_MAX;

    for (uint32_t i = 0; i < count; i++)
        frames[i] = 0x400000 + (i == 3 ? n / DEPOT_FRAMES_MAX * 16 : i * 64);
    if (count <= 3)
        frames[0] += n * 16ul;
    return count;
}

static bool holds(stack_id id, uint32_t n)
{
    uintptr_t frames[DEPOT_FRAMES_MAX];
    uint32_t count = nth(n, frames);
    struct depot_stack stack = sg_depot_get(id);

    return stack.count == count && memcmp(stack.frames, frames, count * sizeof(frames[0])) == 0;
}

static stack_id numbers[THREADS][STACKS];

static void *put_all(void *mine)
{
    stack_id *mine_ = mine;

    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < STACKS; i++) {
            uint32_t n = i ^ 0x155; /* all threads in the same order: they meet */
            uintptr_t frames[DEPOT_FRAMES_MAX];
            uint32_t count = n < STACKS ? nth(n, frames) : 0;
            stack_id id = sg_depot_put(frames, count);

            if (n < STACKS && round > 0 && id != mine_[n])
                return NULL;
            if (n < STACKS)
                mine_[n] = id;
        }
    }
    return mine;
}

static uint32_t put_by_threads(void)
{
    pthread_t threads[THREADS];
    uint32_t good = 0;

    for (int i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&threads[i], NULL, put_all, numbers[i]) == 0);
    for (int i = 0; i < THREADS; i++) {
        void *result;

        pthread_join(threads[i], &result);
        good += result != NULL;
    }
    return good;
}

TEST(threads_that_put_the_same_stacks_get_the_same_numbers)
{
    uint32_t same = 0, held = 0, counted = 0, put = 0;

    EXPECT_EQUAL(put_by_threads(), THREADS);
    for (uint32_t n = 0; n < STACKS; n++) {
        if (numbers[0][n] == 0)
            continue;
        put++;
        same += numbers[0][n] == numbers[1][n] && numbers[0][n] == numbers[2][n] &&
                numbers[0][n] == numbers[3][n];
        held += holds(numbers[0][n], n);
        counted += sg_depot_count(numbers[0][n]) == THREADS * ROUNDS;
    }
    EXPECT(put > STACKS - 1000);
    EXPECT_EQUAL(same, put);
    EXPECT_EQUAL(held, put);
    EXPECT_EQUAL(counted, put);
}

TEST(different_stacks_have_different_numbers)
{
    static uint8_t seen[1u << 20];
    uint32_t twice = 0;

    for (uint32_t n = 0; n < STACKS; n++) {
        stack_id id = numbers[0][n];

        if (id == 0)
            continue;
        EXPECT(id < sizeof(seen) * 8);
        twice += seen[id / 8] >> id % 8 & 1;
        seen[id / 8] |= (uint8_t)(1u << id % 8);
    }
    EXPECT_EQUAL(twice, 0);
}

TEST(no_number_but_those_given_leads_to_a_stack)
{
    static uint8_t given[1u << 20];
    uint32_t wrong = 0;

    for (uint32_t n = 0; n < STACKS; n++)
        given[numbers[0][n]] = 1;
    given[0] = 0;
    for (stack_id id = 0; id < sizeof(given); id++)
        wrong += (sg_depot_get(id).count != 0) != given[id] ||
                 (sg_depot_count(id) != 0) != given[id];
    EXPECT_EQUAL(wrong, 0);
    EXPECT_EQUAL(sg_depot_get(UINT32_MAX).count, 0);
    EXPECT_EQUAL(sg_depot_count(UINT32_MAX - 5), 0);
}

TEST(a_stack_of_no_frames_or_too_many_has_no_number)
{
    uintptr_t frames[DEPOT_FRAMES_MAX + 1] = {1, 2, 3};

    EXPECT_EQUAL(sg_depot_put(frames, 0), 0);
    EXPECT_EQUAL(sg_depot_put(frames, DEPOT_FRAMES_MAX + 1), 0);
    EXPECT(sg_depot_put(frames, DEPOT_FRAMES_MAX) != 0);
}

static stack_id put_one(uint32_t n)
{
    uintptr_t frames[DEPOT_FRAMES_MAX] = {7, 7, 7, n};

    return sg_depot_put(frames, DEPOT_FRAMES_MAX);
}

static _Atomic uint32_t from_handler, wrong_in_handler;
static _Atomic uint32_t now_putting;

static void put_in_handler(int number)
{
    uint32_t n = now_putting; /* the very stack that is being put, and one more */

    (void)number;
    wrong_in_handler += put_one(n) == 0 || put_one(n) != put_one(n) || put_one(n + 1) == 0;
    from_handler++;
}

static void tick(long microseconds)
{
    struct itimerval timer = {{0, microseconds}, {0, microseconds}};
    struct sigaction action = {.sa_handler = put_in_handler, .sa_flags = SA_RESTART};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

TEST(a_signal_handler_puts_while_a_put_is_interrupted)
{
    uint32_t wrong = 0;

    tick(100);
    for (uint32_t n = 1000000; n < 1400000 && from_handler < 2000; n++) {
        now_putting = n;
        stack_id id = put_one(n);
        struct depot_stack stack = sg_depot_get(id);

        wrong += stack.count != DEPOT_FRAMES_MAX || stack.frames[3] != n || put_one(n) != id;
    }
    tick(0);
    EXPECT(from_handler > 20);
    EXPECT_EQUAL(wrong, 0);
    EXPECT_EQUAL(wrong_in_handler, 0);
}

TEST(a_forked_child_goes_on_with_the_same_stacks)
{
    stack_id before = put_one(1);
    int status = 1;
    pid_t child = fork();

    if (child == 0)
        _exit(put_one(1) == before && put_one(2) != before && put_one(2) != 0 ? 0 : 1);
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
}

/* The last: from here on there is no more memory. */
TEST(the_last_is_that_memory_is_bounded)
{
    size_t limit = sg_depot_bytes() + (3u << 20);
    stack_id known = put_one(3), id = known;
    uint32_t n = 2000000;

    EXPECT(sg_depot_bytes() >= 1u << 20);
    sg_depot_limit(limit);
    while (n < 2100000 && id != 0)
        id = put_one(n++);
    EXPECT(id == 0);
    EXPECT(n > 2000000 + 9000); /* three chunks hold as many */
    EXPECT(sg_depot_bytes() <= limit);
    EXPECT_EQUAL(put_one(3), known);
    EXPECT_EQUAL(put_one(n), 0);
    sg_depot_limit(DEPOT_BYTES_DEFAULT);
    EXPECT(put_one(n) != 0);
}
