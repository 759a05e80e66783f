/* What lies at an address that never was a block, and how long ago a moment was. */
#include "bug_fixture.h"
#include "debug_report.h"
#include "ticks.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int global;

static enum bug_place place_of(const void *address)
{
    new_bug(BUG_FOREIGN);
    sg_debug_bug_place(&bug, (uintptr_t)address);
    return bug.place;
}

static bool is_named(const char *name)
{
    return bug.place_name != NULL && strcmp(bug.place_name, name) == 0;
}

TEST(addresses_that_no_program_has)
{
    EXPECT(place_of((void *)(UINT64_C(1) << 60)) == BUG_PLACE_OVERFLOW);
    EXPECT(place_of((void *)UINTPTR_MAX) == BUG_PLACE_OVERFLOW);
    EXPECT(place_of((void *)8) == BUG_PLACE_UNKNOWN && bug.place_name == NULL);
}

static void *another_thread(void *of_first)
{
    int local = 0;

    EXPECT(place_of(of_first) == BUG_PLACE_STACK && bug.place_thread == 0);
    EXPECT(place_of(&local) == BUG_PLACE_STACK && bug.place_thread == bug.thread);
    return NULL;
}

TEST(a_stack_is_that_of_this_thread_or_of_another)
{
    pthread_t thread;
    int local = 0;

    EXPECT(place_of(&local) == BUG_PLACE_STACK && bug.place_thread == bug.thread);
    EXPECT(pthread_create(&thread, NULL, another_thread, &local) == 0);
    EXPECT(pthread_join(thread, NULL) == 0);
}

TEST(data_of_a_module)
{
    EXPECT(place_of(&global) == BUG_PLACE_GLOBAL);
    EXPECT(place_of("a constant") == BUG_PLACE_GLOBAL && is_named("place_test"));
}

TEST(mappings_of_files_and_without_a_name)
{
    char path[] = "/tmp/spanguard-place-XXXXXX";
    int file = mkstemp(path);
    char *mapped, *plain;

    EXPECT(file >= 0 && ftruncate(file, 4096) == 0);
    mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);
    plain = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(mapped != MAP_FAILED && plain != MAP_FAILED);
    EXPECT(place_of(mapped + 5) == BUG_PLACE_MAPPING && is_named(strrchr(path, '/') + 1));
    EXPECT(place_of(plain) == BUG_PLACE_MAPPING && bug.place_name == NULL);
    munmap(mapped, 4096);
    munmap(plain, 4096);
    close(file);
    unlink(path);
}

TEST(the_heap_of_another_allocator)
{
    char *end = sbrk(4096);

    EXPECT(end != (char *)-1);
    EXPECT(place_of(end) == BUG_PLACE_SYSTEM);
}

/* No descriptor is free for the list of mappings: less is told, and nothing wrong. */
static void without_descriptors(void)
{
    struct rlimit none = {0, 0};
    void *plain = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool is_right;

    setrlimit(RLIMIT_NOFILE, &none);
    is_right = place_of(&global) == BUG_PLACE_GLOBAL && bug.place_name == NULL &&
               place_of(plain) == BUG_PLACE_MAPPING && place_of((void *)8) == BUG_PLACE_UNKNOWN;
    _exit(is_right ? 0 : 1);
}

TEST(places_are_told_without_a_free_descriptor)
{
    EXPECT_EQUAL(test_status_of(without_descriptors), 0);
}

TEST(how_long_ago_a_moment_was)
{
    struct timespec nap = {.tv_nsec = 3000000};
    uint64_t time, microseconds;

    sg_ticks_start();
    nanosleep(&nap, NULL);
    time = debug_time();
    nanosleep(&nap, NULL);
    microseconds = sg_ticks_microseconds_since(time);
    EXPECT(microseconds >= 2900 && microseconds < 10000000);
}

TEST(a_moment_that_is_not_known_or_not_past)
{
    sg_ticks_start();
    EXPECT(sg_ticks_microseconds_since(0) == UINT64_MAX);
    EXPECT(sg_ticks_microseconds_since(debug_time() + (1 << 20)) == UINT64_MAX);
}
