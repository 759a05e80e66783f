/* A child of _Fork, for which no handler runs, while another thread was inside: it finds a lock
 * that nobody holds any more, and repairs what that lock guards. */
#include "central_list.h"
#include "metadata.h"
#include "object_pool.h"
#include "os_lock.h"
#include "page_cache.h"
#include "page_map.h"
#include "pool.h"
#include "span_quarantine.h"
#include "test.h"
#include "thread_registry.h"
#include "typed.h"

#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT 600
#define PARTITION 9

static char *blocks[COUNT];
static sem_t is_inside, may_leave;

struct held {
    struct lock *lock;
    enum lock_rank rank;
};

static size_t bytes_of(size_t i)
{
    return i % 40 == 39 ? 300000 + i * 100 : i % 20 == 19 ? 20000 : 100;
}

static void take(size_t i)
{
    blocks[i] = i % 3 == 2 ? sg_pool_allocate_typed(bytes_of(i), PARTITION)
                           : sg_pool_allocate(bytes_of(i), SLOT_LIVE_MALLOC);
    memset(blocks[i], (int)i, bytes_of(i));
}

static bool end(size_t i)
{
    bool is_whole = blocks[i][0] == (char)i && blocks[i][bytes_of(i) - 1] == (char)i;

    sg_pool_free(blocks[i], SLOT_LIVE_MALLOC, "free");
    return is_whole;
}

static void *stay_inside(void *argument)
{
    struct held *held = argument;

    sg_pool_free(sg_pool_allocate(100, SLOT_LIVE_MALLOC), SLOT_LIVE_MALLOC, "free");
    lock_acquire(held->lock, held->rank);
    sem_post(&is_inside);
    sem_wait(&may_leave);
    lock_release(held->lock, held->rank);
    return NULL;
}

/* Half of the blocks end, as many come, all end: through every tier, and back to the kernel. */
static bool works(void)
{
    bool is_whole = true;

    for (size_t i = 0; i < COUNT; i += 2)
        is_whole &= end(i);
    for (size_t i = 0; i < COUNT; i += 2)
        take(i);
    for (size_t i = 0; i < COUNT; i++)
        is_whole &= end(i);
    sg_pool_trim(0);
    for (size_t i = 0; i < COUNT; i++)
        take(i);
    for (size_t i = 0; i < COUNT; i++)
        is_whole &= end(i);
    sg_page_cache_check();
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        sg_central_check(class);
    return is_whole;
}

static int status_of_child(void)
{
    int status = -1;

    fflush(stdout);
    pid_t child = _Fork();
    if (child == 0) {
        alarm(20);
        _exit(works() ? 0 : 1);
    }
    waitpid(child, &status, 0);
    return status;
}

static void expect_repair(struct lock *lock, enum lock_rank rank)
{
    struct held held = {lock, rank};
    pthread_t thread;

    sem_init(&is_inside, 0, 0);
    sem_init(&may_leave, 0, 0);
    for (size_t i = 0; i < COUNT; i++)
        take(i);
    for (size_t i = 0; i < COUNT; i++) /* some spans are half free, some are empty */
        if (i % 100 > 30 && end(i))
            take(i);
    EXPECT_EQUAL(pthread_create(&thread, NULL, stay_inside, &held), 0);
    sem_wait(&is_inside);
    EXPECT_EQUAL(status_of_child(), 0);
    sem_post(&may_leave);
    pthread_join(thread, NULL);
    EXPECT(works()); /* nothing happened to the parent */
}

/* Spans that are in quarantine, or spare, belong to no list of their class. */
static void empty_some_spans(void)
{
    static char *many[20000];

    for (size_t i = 0; i < 20000; i++)
        many[i] = sg_pool_allocate(100, SLOT_LIVE_MALLOC);
    for (size_t i = 0; i < 20000; i++)
        sg_pool_free(many[i], SLOT_LIVE_MALLOC, "free");
    EXPECT(sg_quarantine_central.count > 0);
}

/* First: no thread was made yet, so fork freezes no lock. */
TEST(the_child_of_the_only_thread_knows_where_it_stands)
{
    int status = -1;

    sg_pool_free(sg_pool_allocate(100, SLOT_LIVE_MALLOC), SLOT_LIVE_MALLOC, "free");
    sg_os_process_mark();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(sg_os_process_is_child());
    waitpid(child, &status, 0);
    EXPECT_EQUAL(status, 0);
}

static _Atomic bool has_left;

static void *stay_inside_for_long(void *unused)
{
    lock_acquire(sg_page_cache_lock(), RANK_PAGE_CACHE);
    sem_post(&is_inside);
    usleep(700000);
    has_left = true;
    lock_release(sg_page_cache_lock(), RANK_PAGE_CACHE);
    return unused;
}

/* A thread of its own may be slow: stopped with the process, or in a handler of a signal. */
static int wait_for_own_thread(void)
{
    pthread_t thread;

    sem_init(&is_inside, 0, 0);
    if (pthread_create(&thread, NULL, stay_inside_for_long, NULL) != 0)
        return 2;
    sem_wait(&is_inside);
    lock_acquire(sg_page_cache_lock(), RANK_PAGE_CACHE);
    int result = has_left ? 0 : 1;
    lock_release(sg_page_cache_lock(), RANK_PAGE_CACHE);
    pthread_join(thread, NULL);
    return result;
}

TEST(a_child_of_a_bare_fork_waits_for_its_own_threads)
{
    int status = -1;

    sg_os_process_mark();
    fflush(stdout);
    pid_t child = _Fork();
    if (child == 0) {
        alarm(20);
        _exit(wait_for_own_thread());
    }
    waitpid(child, &status, 0);
    EXPECT_EQUAL(status, 0);
}

TEST(a_class_is_repaired)
{
    empty_some_spans();
    expect_repair(sg_central_lock(size_class_of(108)), RANK_CENTRAL_LIST);
}

TEST(a_partition_is_repaired)
{
    expect_repair(sg_typed_lock(PARTITION), RANK_TYPED);
}

TEST(the_page_cache_is_repaired)
{
    expect_repair(sg_page_cache_lock(), RANK_PAGE_CACHE);
}

TEST(the_page_map_and_the_registry_need_no_repair)
{
    expect_repair(sg_page_map_lock(), RANK_PAGE_MAP);
    expect_repair(sg_thread_registry_lock(), RANK_THREAD_REGISTRY);
}

TEST(the_quarantine_of_spans_is_given_up)
{
    expect_repair(&sg_quarantine_large.lock, RANK_SPAN_QUARANTINE);
    expect_repair(&sg_quarantine_central.lock, RANK_SPAN_QUARANTINE);
}

TEST(pools_of_records_are_given_up)
{
    expect_repair(sg_object_pool_lock(1), RANK_OBJECT_POOL);
    expect_repair(sg_metadata_lock(), RANK_METADATA);
}

TEST(a_child_that_nobody_was_inside_repairs_nothing)
{
    for (size_t i = 0; i < COUNT; i++)
        take(i);
    EXPECT_EQUAL(status_of_child(), 0);
    EXPECT(works());
}
