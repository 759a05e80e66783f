/* Every name of the malloc family that a program can see leads to the preloaded library. */
#include "check.h"

#include <dlfcn.h>
#include <malloc.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* mallinfo() */

/* Of these glibc's own would corrupt a heap that is not its own. */
static const char *const standard_names[] = {
    "malloc",        "free",         "calloc",      "realloc",
    "aligned_alloc", "valloc",       "pvalloc",     "posix_memalign",
    "memalign",      "cfree",        "malloc_trim", "malloc_usable_size",
    "reallocarray",  "mallopt",      "mallinfo",    "mallinfo2",
    "malloc_info",   "malloc_stats", "free_sized",  "free_aligned_sized",
};

static const char *const libc_names[] = {
    "__libc_malloc",   "__libc_calloc", "__libc_realloc", "__libc_free",
    "__libc_memalign", "__libc_valloc", "__libc_pvalloc", "__posix_memalign",
};

static const char *const bionic_names[] = {
    "malloc_object_size", "malloc_object_size_fast", "malloc_iterate",
    "malloc_disable",     "malloc_enable",
};

static bool from_preload(const void *function)
{
    Dl_info info;
    char *found, *preload;
    bool same;

    if (function == NULL || dladdr(function, &info) == 0)
        return false;
    found = realpath(info.dli_fname, NULL);
    preload = realpath(getenv("CHECK_PRELOAD"), NULL);
    same = found != NULL && preload != NULL && strcmp(found, preload) == 0;
    free(found);
    free(preload);
    return same;
}

static void expect_from_preload(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!EXPECT(from_preload(dlsym(RTLD_DEFAULT, names[i]))))
            check_say("#   for %s\n", names[i]);
    }
}
#define EXPECT_FROM_PRELOAD(names) expect_from_preload((names), sizeof(names) / sizeof *(names))

TEST(the_standard_names_resolve_to_the_library)
{
    NOT_OVER_GLIBC();
    EXPECT_FROM_PRELOAD(standard_names);
}

TEST(the_names_that_begin_with___libc_resolve_to_the_library)
{
    NOT_OVER_GLIBC();
    EXPECT_FROM_PRELOAD(libc_names);
}

/* No glibc program needs these; but one from elsewhere would be another heap. */
TEST(the_names_that_bionic_added_are_absent_or_the_librarys)
{
    NOT_OVER_GLIBC();
    for (size_t i = 0; i < sizeof bionic_names / sizeof *bionic_names; i++) {
        void *function = dlsym(RTLD_DEFAULT, bionic_names[i]);

        if (function == NULL)
            check_say("# %s is absent\n", bionic_names[i]);
        else
            EXPECT(from_preload(function));
    }
}

/* The program's own references carry glibc's symbol versions. */
TEST(references_with_a_version_resolve_to_the_library)
{
    void *const linked[] = {
        (void *)malloc,         (void *)free,     (void *)calloc,       (void *)realloc,
        (void *)aligned_alloc,  (void *)memalign, (void *)valloc,       (void *)pvalloc,
        (void *)posix_memalign, (void *)mallopt,  (void *)reallocarray, (void *)malloc_usable_size,
        (void *)malloc_trim,    (void *)mallinfo, (void *)mallinfo2,    (void *)malloc_info,
        (void *)malloc_stats,
    };

    NOT_OVER_GLIBC();
    for (size_t i = 0; i < sizeof linked / sizeof *linked; i++) {
        if (!EXPECT(from_preload(linked[i])))
            check_say("# reference %zu does not lead to the library\n", i);
    }
}

TEST(a_wrapper_in_the_program_finds_the_library_with_RTLD_NEXT)
{
    NOT_OVER_GLIBC();
    EXPECT(from_preload(dlsym(RTLD_NEXT, "malloc")));
    EXPECT(from_preload(dlsym(RTLD_NEXT, "free")));
}

static void *find(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

/* All of them are one heap: what one name made another may end. */
TEST(blocks_pass_freely_between_the_plain_and_the___libc_names)
{
    void *(*make)(size_t), *(*make_zero)(size_t, size_t), *(*resize)(void *, size_t);
    void *(*make_aligned)(size_t, size_t), (*end)(void *);

    *(void **)&make = find("__libc_malloc");
    *(void **)&make_zero = find("__libc_calloc");
    *(void **)&resize = find("__libc_realloc");
    *(void **)&make_aligned = find("__libc_memalign");
    *(void **)&end = find("__libc_free");
    if (!EXPECT(make && make_zero && resize && make_aligned && end))
        return;
    for (size_t bytes = 1; bytes < 500000; bytes = bytes * 3 + 1) {
        end(malloc(bytes));
        free(make(bytes));
        free(make_zero(bytes, 1));
        free(resize(make(bytes), bytes * 2));
        end(make_aligned(64, bytes));
        free(make_aligned(4096, bytes));
    }
}

TEST(cfree_frees)
{
    void (*end)(void *);

    *(void **)&end = find("cfree");
    if (end == NULL && !under_preload())
        SKIP("this glibc has no cfree");
    if (!EXPECT(end != NULL))
        return;
    for (size_t bytes = 1; bytes < 500000; bytes = bytes * 3 + 1)
        end(calloc(1, bytes));
    end(NULL);
}

TEST(a_c_program_is_given_no_libstdcxx)
{
    static char maps[1 << 16];
    FILE *file = fopen("/proc/self/maps", "r");

    maps[fread(maps, 1, sizeof maps - 1, file)] = '\0';
    fclose(file);
    EXPECT(strstr(maps, "libc.so") != NULL);
    EXPECT(strstr(maps, "libstdc++") == NULL);
}
