#include "os_lock.h"
#include "test.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

static struct lock lock;
static int guarded;

static void *add_under_lock(void *unused)
{
    (void)unused;
    for (int i = 0; i < 20000; i++) {
        lock_acquire(&lock, RANK_PAGE_CACHE);
        guarded++;
        lock_release(&lock, RANK_PAGE_CACHE);
    }
    return NULL;
}

TEST(a_lock_lets_one_thread_in_at_a_time)
{
    pthread_t threads[4];

    guarded = 0;
    for (int i = 0; i < 4; i++)
        EXPECT(pthread_create(&threads[i], NULL, add_under_lock, NULL) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    EXPECT_EQUAL(guarded, 80000);
    EXPECT_EQUAL(lock.word, LOCK_FREE);
}

static void *take_and_release(void *unused)
{
    lock_acquire(&lock, RANK_PAGE_CACHE);
    guarded = -1;
    lock_release(&lock, RANK_PAGE_CACHE);
    return unused;
}

/* The deadlock inside fork(): a thread that holds a lock of libc waits for ours, and the forking
 * thread, which froze ours, waits for libc's. */
TEST(a_frozen_lock_is_taken_over_after_a_while)
{
    pthread_t thread;

    guarded = 0;
    sg_lock_freeze(&lock);
    EXPECT(pthread_create(&thread, NULL, take_and_release, NULL) == 0);
    pthread_join(thread, NULL);
    EXPECT_EQUAL(guarded, -1);
    sg_lock_thaw_parent(&lock);
    EXPECT_EQUAL(lock.word, LOCK_FREE);
}

TEST(a_thawed_lock_can_be_taken_by_those_who_waited)
{
    pthread_t thread;

    sg_lock_freeze(&lock);
    EXPECT(pthread_create(&thread, NULL, take_and_release, NULL) == 0);
    sg_lock_thaw_parent(&lock);
    pthread_join(thread, NULL);
    EXPECT_EQUAL(lock.word, LOCK_FREE);
}

TEST(the_child_learns_that_another_thread_was_inside)
{
    struct lock held = {.word = LOCK_HELD, .holder = 1234};

    EXPECT(sg_lock_thaw_child(&held));
    EXPECT_EQUAL(held.word, LOCK_FREE);
    held.word = LOCK_FROZEN;
    EXPECT(!sg_lock_thaw_child(&held));
    EXPECT(!sg_lock_thaw_child(&held));
}

static void say_reentry(void)
{
    (void)!write(STDERR_FILENO, "waiting for itself", 18);
    __builtin_trap();
}

static void acquire_twice(void)
{
    struct lock twice = {.word = LOCK_FREE};

    sg_lock_on_reentry = say_reentry;
    lock_acquire(&twice, RANK_CENTRAL_LIST);
    sg_lock_acquire_slow(&twice);
}

TEST(a_thread_that_waits_for_itself_is_told)
{
    EXPECT(test_dies_saying(acquire_twice, "waiting for itself"));
}

static void say_text(const char *where, const char *text)
{
    (void)where;
    (void)!write(STDERR_FILENO, text, 9);
}

static void acquire_downwards(void)
{
    static struct lock high, low;

    sg_panic_hook = say_text;
    lock_acquire(&high, RANK_PAGE_CACHE);
    lock_acquire(&low, RANK_CENTRAL_LIST);
}

TEST(a_debug_build_stops_at_a_wrong_lock_order)
{
    EXPECT(test_dies_saying(acquire_downwards, "held_rank"));
}
