/* pool=system: libc's allocator serves; blocks from before it was found are ours and stay valid. */
#include "check.h"
#include "child.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

/* Not in this libc, or of C++: the library's. */
static void *(*operator_new)(size_t bytes);
static void (*end_sized)(void *block, size_t bytes);

__attribute__((constructor)) static void find_others(void)
{
    *(void **)&operator_new = dlsym(RTLD_DEFAULT, "_Znwm");
    *(void **)&end_sized = dlsym(RTLD_DEFAULT, "free_sized");
}

static size_t (*block_room)(const void *address);

/* Before the constructors of any library, ours included. */
enum { EARLY = 5 };
static char *early[EARLY], *early_aligned;
static const size_t early_bytes[EARLY] = {1, 24, 1000, 100000, 600000};

static void allocate_early(void)
{
    for (int i = 0; i < EARLY; i++) {
        early[i] = malloc(early_bytes[i]);
        memset(early[i], i + 1, early_bytes[i]);
    }
    early_aligned = aligned_alloc(256, 300);
}
__attribute__((section(".preinit_array"), used)) static void (*at_first)(void) = allocate_early;

static bool is_ours(const void *block)
{
    if (block_room == NULL)
        *(void **)&block_room = dlsym(RTLD_DEFAULT, "spanguard_block_room");
    return block_room != NULL && block_room(block) != SIZE_MAX;
}

static bool has_library(void)
{
    return dlsym(RTLD_DEFAULT, "spanguard_block_room") != NULL;
}

TEST(the_library_is_there_and_its_early_blocks_are_its_own)
{
    EXPECT(has_library());
    for (int i = 0; i < EARLY; i++) {
        EXPECT(is_ours(early[i]));
        EXPECT(malloc_usable_size(early[i]) >= early_bytes[i]);
    }
}

TEST(every_interface_gives_blocks_of_libc)
{
    void *third = NULL;

    EXPECT(has_library());
    EXPECT_EQUAL(posix_memalign(&third, 64, 100), 0);
    void *blocks[] = {malloc(100),      calloc(3, 50),           realloc(NULL, 30), third,
                      memalign(64, 9),  aligned_alloc(128, 128), valloc(10),        pvalloc(10),
                      operator_new(40), malloc(opaque(0)),       malloc(1 << 20)};

    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        EXPECT(blocks[i] != NULL && !is_ours(blocks[i]));
        free(blocks[i]);
    }
}

TEST(early_blocks_are_reallocated_and_freed)
{
    for (int i = 0; i < EARLY; i++) {
        char *moved = realloc(early[i], early_bytes[i] * 3);
        int wrong = 0;

        for (size_t byte = 0; byte < early_bytes[i]; byte++)
            wrong += moved[byte] != i + 1;
        EXPECT_EQUAL(wrong, 0);
        EXPECT(malloc_usable_size(moved) >= early_bytes[i] * 3);
        moved = realloc(moved, 1);
        EXPECT(moved[0] == i + 1);
        free(moved);
        early[i] = NULL;
    }
    EXPECT_EQUAL((uintptr_t)early_aligned % 256, 0);
    free(early_aligned);
}

static void free_into_the_middle(void *block)
{
    close(STDERR_FILENO);
    free((char *)block + 16);
}

static char *kept;
static void allocate_one(void)
{
    kept = malloc(64);
}
__attribute__((section(".preinit_array"), used)) static void (*at_second)(void) = allocate_one;

TEST(misuse_of_an_early_block_is_still_found)
{
    EXPECT(is_ours(kept));
    EXPECT_EQUAL(child_ending(free_into_the_middle, kept), 128 + SIGABRT);
    free(kept);
}

TEST(what_libc_lets_pass_passes)
{
    char *block = malloc(24);

    end_sized(block, 24000);
    free(operator_new(24));
    block = malloc(opaque(20));
    block[21] = 1; /* room that libc rounds up to */
    free(block);
}

TEST(failure_is_ENOMEM)
{
    char *block = malloc(10);

    errno = 0;
    EXPECT(malloc(opaque(SIZE_MAX / 2 + 1)) == NULL);
    EXPECT_EQUAL(errno, ENOMEM);
    errno = 0;
    EXPECT(realloc(block, opaque(SIZE_MAX / 2 + 1)) == NULL);
    EXPECT_EQUAL(errno, ENOMEM);
    errno = 77;
    EXPECT_EQUAL(posix_memalign((void **)&block, 64, opaque(SIZE_MAX / 2 + 1)), ENOMEM);
    EXPECT_EQUAL(errno, 77);
    free(block);
}

static size_t resident_kib(void)
{
    char text[4096];
    FILE *status = fopen("/proc/self/status", "r");
    size_t length = fread(text, 1, sizeof text - 1, status), kib = 1 << 30;

    fclose(status);
    text[length] = '\0';
    sscanf(strstr(text, "VmRSS:"), "VmRSS: %zu", &kib);
    return kib;
}

TEST(a_large_calloc_touches_nothing)
{
    size_t bytes = (size_t)2 << 30, before = resident_kib();
    char *block = calloc(1, bytes);

    EXPECT(block != NULL && block[bytes - 1] == 0);
    EXPECT(resident_kib() < before + 100000);
    free(block);
}

TEST(introspection_is_that_of_libc)
{
    struct mallinfo2 before = mallinfo2();
    char *block = malloc(50000), *text = NULL;
    size_t length = 0;

    EXPECT(mallinfo2().uordblks >= before.uordblks + 50000);
    EXPECT_EQUAL(mallopt(M_MMAP_THRESHOLD, 128 * 1024), 1);
    FILE *stream = open_memstream(&text, &length);
    EXPECT_EQUAL(malloc_info(0, stream), 0);
    fclose(stream);
    EXPECT(strstr(text, "<malloc version=\"1\">") != NULL);
    free(text);
    free(block);
    EXPECT(malloc_trim(0) <= 1);
}

/* What malloc_stats() writes to stderr. */
static const char *stats_said(void)
{
    static char text[4096];
    int file = memfd_create("said", 0), kept = dup(STDERR_FILENO);

    dup2(file, STDERR_FILENO);
    malloc_stats();
    dup2(kept, STDERR_FILENO);
    ssize_t length = pread(file, text, sizeof text - 1, 0);
    text[length < 0 ? 0 : length] = '\0';
    close(kept);
    close(file);
    return text;
}

TEST(malloc_stats_are_those_of_libc)
{
    const char *said = stats_said();

    EXPECT(strstr(said, "in use bytes") != NULL);
    EXPECT(strstr(said, "spanguard") == NULL);
}

/* The second time our own page cache has nothing to give: what libc gives is said all the same. */
TEST(malloc_trim_tells_what_libc_gave_back)
{
    char *block = malloc(100000), *behind = malloc(100);

    memset(block, 1, 100000);
    free(block);
    EXPECT_EQUAL(malloc_trim(0), 1);
    EXPECT_EQUAL(malloc_trim(0), 1); /* libc: as long as a free block has a whole page */
    free(behind);
}

TEST(partitions_are_blocks_of_libc)
{
    void *(*calloc_typed)(size_t, size_t, unsigned), *(*malloc_typed)(size_t, unsigned);

    *(void **)&calloc_typed = dlsym(RTLD_DEFAULT, "spanguard_calloc_typed");
    *(void **)&malloc_typed = dlsym(RTLD_DEFAULT, "spanguard_malloc_typed");
    for (unsigned partition = 0; partition < 4; partition++) {
        char *zeroed = calloc_typed(10, 10, partition), *other = malloc_typed(100, partition);

        EXPECT(zeroed != NULL && !is_ours(zeroed) && other != NULL && !is_ours(other));
        for (int i = 0; i < 100; i++)
            EXPECT_EQUAL(zeroed[i], 0);
        free(zeroed);
        free(other);
    }
}

/* The runner sees that stderr stays empty. */
TEST(a_plugin_may_be_bound_to_libc)
{
    void *handle = dlopen("libm.so.6", RTLD_NOW | RTLD_DEEPBIND);

    EXPECT(handle != NULL && dlsym(handle, "cos") != NULL);
    EXPECT_EQUAL(dlclose(handle), 0);
}

static void *make_and_free(void *other)
{
    free(other);
    for (int i = 0; i < 20000; i++)
        free(realloc(malloc((size_t)i % 3000), (size_t)i % 5000 + 1));
    return malloc(77);
}

static void make_in_child(void *none)
{
    free(make_and_free(none));
}

TEST(threads_and_children_work)
{
    pthread_t threads[3];
    void *block;

    for (int i = 0; i < 3; i++)
        EXPECT_EQUAL(pthread_create(&threads[i], NULL, make_and_free, malloc(99)), 0);
    for (int i = 0; i < 20; i++)
        EXPECT_EQUAL(child_ending(make_in_child, NULL), 0);
    for (int i = 0; i < 3; i++) {
        EXPECT_EQUAL(pthread_join(threads[i], &block), 0);
        free(block);
    }
}
