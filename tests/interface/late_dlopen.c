/* The library opened late, by a program that runs on glibc: CHECK_LATE names it. It must load
 * (a large static TLS block would not), serve through dlsym, and stay after dlclose. */
#include "check.h"
#include "threads.h"

#include <dlfcn.h>

enum { THREADS = 4 };

static void *handle, *(*late_malloc)(size_t), *(*late_realloc)(void *, size_t);
static void (*late_free)(void *);

static bool load(void)
{
    if (handle == NULL && (handle = dlopen(getenv("CHECK_LATE"), RTLD_NOW | RTLD_LOCAL)) == NULL) {
        check_say("# dlopen: %s\n", dlerror());
        return false;
    }
    *(void **)&late_malloc = dlsym(handle, "malloc");
    *(void **)&late_realloc = dlsym(handle, "realloc");
    *(void **)&late_free = dlsym(handle, "free");
    return late_malloc != NULL && late_realloc != NULL && late_free != NULL;
}

static bool late_round(size_t from)
{
    for (size_t bytes = from; bytes < 2000000; bytes = bytes * 3 + 1) {
        char *block = late_malloc(bytes);

        if (block == NULL)
            return false;
        memset(block, 7, bytes);
        block = late_realloc(block, bytes * 2);
        if (block == NULL || block[bytes - 1] != 7)
            return false;
        late_free(block);
    }
    return true;
}

static void *late_until_told(void *unused)
{
    while (late_malloc == NULL && !atomic_load(&threads_stop))
        usleep(100);
    for (size_t round = 1; !atomic_load(&threads_stop); round++) {
        if (!late_round(round % 50 + 1) || !allocate_a_round((unsigned)round))
            abort();
        usleep(100);
    }
    return unused;
}

TEST(the_library_can_be_opened_in_a_running_program)
{
    Dl_info info;

    if (!EXPECT(load()))
        return;
    EXPECT(late_malloc != malloc);
    EXPECT(dladdr((void *)late_malloc, &info) != 0);
    EXPECT(strcmp(info.dli_fname, getenv("CHECK_LATE")) == 0);
}

TEST(its_malloc_works_through_dlsym_beside_glibcs)
{
    if (!EXPECT(load()))
        return;
    for (size_t round = 1; round < 50; round++)
        EXPECT(late_round(round) && allocate_a_round((unsigned)round));
}

TEST(it_serves_threads_that_are_older_and_younger_than_itself)
{
    pthread_t threads[THREADS];

    if (!EXPECT(load()))
        return;
    for (int i = 0; i < 20; i++) {
        threads_start(threads, THREADS, late_until_told);
        usleep(5000);
        threads_end(threads, THREADS);
    }
}

static bool is_mapped(const char *path)
{
    char line[1024];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");

    while (fgets(line, sizeof line, maps) != NULL)
        found |= strstr(line, path) != NULL;
    fclose(maps);
    return found;
}

TEST(dlclose_does_not_unload_it)
{
    void *block;

    if (!EXPECT(load()))
        return;
    block = late_malloc(100);
    EXPECT_EQUAL(dlclose(handle), 0);
    if (!EXPECT(is_mapped(getenv("CHECK_LATE"))))
        return;
    late_free(block);
    EXPECT(late_round(1));
}
