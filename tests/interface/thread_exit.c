/* The end of a thread: destructors of keys allocate in several rounds, libc frees after them. */
#include "check.h"
#include "threads.h"

#include <fcntl.h>
#include <limits.h>
#include <malloc.h>

enum { THREADS = 400, AT_ONCE = 8 };

struct keyed {
    pthread_key_t *key;
    int rounds_left;
    char fill[200];
};

static pthread_key_t early_key, late_key;
static atomic_int destructor_runs;

static void set_again(pthread_key_t *key, int rounds_left)
{
    struct keyed *value = malloc(sizeof *value);

    value->key = key;
    value->rounds_left = rounds_left;
    memset(value->fill, rounds_left, sizeof value->fill);
    pthread_setspecific(*key, value);
}

static void destructor(void *pointer)
{
    struct keyed *value = pointer;

    atomic_fetch_add(&destructor_runs, 1);
    for (size_t i = 0; i < sizeof value->fill; i++)
        if (value->fill[i] != value->rounds_left)
            abort();
    if (!allocate_a_round((unsigned)value->rounds_left))
        abort();
    if (value->rounds_left > 1)
        set_again(value->key, value->rounds_left - 1);
    free(value);
}

/* A key that is older than any that a constructor makes. */
static void make_early_key(void)
{
    pthread_key_create(&early_key, destructor);
}
__attribute__((section(".preinit_array"), used)) static void (*early)(void) = make_early_key;

static void *leave_keys_behind(void *unused)
{
    set_again(&early_key, PTHREAD_DESTRUCTOR_ITERATIONS);
    set_again(&late_key, PTHREAD_DESTRUCTOR_ITERATIONS);
    /* libc keeps this text in the thread's memory and frees it after the last destructor. */
    if (strerror(opaque(98765)) == NULL)
        abort();
    return unused;
}

static void run_threads(int count, void *(*run)(void *))
{
    for (int done = 0; done < count; done += AT_ONCE) {
        pthread_t threads[AT_ONCE];

        threads_start(threads, AT_ONCE, run);
        threads_end(threads, AT_ONCE);
    }
}

static size_t in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

TEST(destructors_of_keys_can_allocate_in_every_round)
{
    pthread_key_create(&late_key, destructor);
    run_threads(THREADS, leave_keys_behind);
    EXPECT_EQUAL(destructor_runs, THREADS * 2 * PTHREAD_DESTRUCTOR_ITERATIONS);
}

/* What ended threads had cached comes back: 2,000 threads leave less than 4 MiB behind. */
TEST(ended_threads_leave_no_memory_behind)
{
    size_t before = in_use();

    run_threads(2000, leave_keys_behind);
    malloc_trim(0);
    EXPECT(in_use() < before + (4 << 20));
}

static size_t resident_bytes(void)
{
    char text[64] = "";
    char *end = text;
    int file = open("/proc/self/statm", O_RDONLY);

    EXPECT(file >= 0 && read(file, text, sizeof text - 1) > 0);
    close(file);
    (void)strtoul(text, &end, 10);
    return strtoul(end, NULL, 10) * 4096;
}

static pthread_key_t free_key, delay_key;

static void free_in_next_round(void *block)
{
    pthread_setspecific(free_key, block);
}

/* Blocks of another thread. */
static void *blocks_to_free[2];

static void *leave_a_block_behind(void *unused)
{
    pthread_setspecific(free_key, blocks_to_free[0]);
    return unused;
}

static void *leave_a_block_behind_for_later(void *unused)
{
    pthread_setspecific(delay_key, blocks_to_free[1]);
    return unused;
}

static void end_two_threads(void)
{
    pthread_t threads[2];

    blocks_to_free[0] = malloc(100);
    blocks_to_free[1] = malloc(100);
    threads_start(&threads[0], 1, leave_a_block_behind);
    threads_start(&threads[1], 1, leave_a_block_behind_for_later);
    threads_end(threads, 2);
}

/* Their caches came too late for the round in which a cache ends. */
TEST(threads_that_only_free_in_a_destructor_leave_no_memory_behind)
{
    pthread_key_create(&free_key, free);
    pthread_key_create(&delay_key, free_in_next_round);
    for (int i = 0; i < 100; i++)
        end_two_threads();
    size_t before = resident_bytes();
    for (int i = 0; i < 1500; i++)
        end_two_threads();
    EXPECT(resident_bytes() < before + (2 << 20));
}

static atomic_int threads_running;

static void *do_nothing(void *unused)
{
    usleep(2000);
    atomic_fetch_sub(&threads_running, 1);
    return unused;
}

static void end_detached_threads(void)
{
    for (int i = 0; i < 16; i++) {
        pthread_t thread;

        atomic_fetch_add(&threads_running, 1);
        if (pthread_create(&thread, NULL, do_nothing, NULL) != 0)
            abort();
        pthread_detach(thread);
    }
    while (atomic_load(&threads_running) > 0)
        usleep(500);
}

/* The last act of such a thread is to free what libc kept for others that ended. */
TEST(detached_threads_that_never_allocate_leave_no_memory_behind)
{
    for (int i = 0; i < 30; i++)
        end_detached_threads();
    size_t before = resident_bytes();
    for (int i = 0; i < 200; i++)
        end_detached_threads();
    EXPECT(resident_bytes() < before + (2 << 20));
}

static void *blocks_of_ended_threads[300];

static void *allocate_and_end(void *unused)
{
    for (int i = 0; i < 300; i++)
        memset(blocks_of_ended_threads[i] = malloc((size_t)i * 211 + 1), i & 0x7f,
               (size_t)i * 211 + 1);
    return unused;
}

TEST(blocks_outlive_the_thread_that_made_them)
{
    pthread_t thread;
    int wrong = 0;

    threads_start(&thread, 1, allocate_and_end);
    pthread_join(thread, NULL);
    for (int i = 0; i < 300; i++) {
        wrong += *(char *)blocks_of_ended_threads[i] != (i & 0x7f);
        free(blocks_of_ended_threads[i]);
    }
    EXPECT_EQUAL(wrong, 0);
}

static void *cancelled(void *unused)
{
    for (;;) {
        free(malloc(500));
        pthread_testcancel();
    }
    return unused;
}

TEST(threads_can_be_cancelled)
{
    for (int i = 0; i < 200; i++) {
        pthread_t thread;

        threads_start(&thread, 1, cancelled);
        pthread_cancel(thread);
        pthread_join(thread, NULL);
    }
    EXPECT(allocate_a_round(1));
}

static void *detached(void *unused)
{
    pthread_detach(pthread_self());
    free(malloc(3000));
    return unused;
}

TEST(detached_threads_come_and_go)
{
    for (int i = 0; i < 300; i++) {
        pthread_t thread;

        threads_start(&thread, 1, detached);
    }
    EXPECT(allocate_a_round(1));
}
