/* Address space without memory costs nothing outside the process: core dumps stay as large as the
 * heap, and the limits on address space see no reservation. */
#include "again.h"
#include "child.h"
#include "probe.h"

#include <sys/stat.h>
#include <time.h>

enum { HEAP_MIB = 64, BESIDE_MIB = 24, SECONDS_MOST = 10, MIB = 1 << 20 };

/* Half of it in small blocks with guards between their spans, half in large ones; and what was
 * freed lies in quarantine. */
static void build_a_heap(void)
{
    for (int i = 0; i < HEAP_MIB / 2; i++) {
        char *large = malloc(MIB);

        REQUIRE(large != NULL);
        memset(large, 1, MIB);
    }
    for (int i = 0; i < HEAP_MIB / 2 * 1024; i++) {
        char *small = malloc(1000);

        REQUIRE(small != NULL);
        memset(small, 1, 1000);
    }
    for (int i = 0; i < 2 * HEAP_MIB; i++)
        free(memset(malloc(MIB), 1, MIB));
}

static void dump_core(void *folder)
{
    struct rlimit limit = {4ul << 30, 4ul << 30};

    if (chdir(folder) != 0 || setrlimit(RLIMIT_CORE, &limit) != 0)
        _exit(77);
    build_a_heap();
    alarm(3 * SECONDS_MOST);
    abort();
}

static bool core_goes_to_the_folder(void)
{
    char pattern[128] = "";
    int file = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);

    if (read(file, pattern, sizeof pattern - 1) < 0)
        pattern[0] = '/';
    close(file);
    return strcmp(pattern, "core\n") == 0;
}

static bool stat_core(pid_t child, struct stat *ret)
{
    char name[32];

    snprintf(name, sizeof name, "core.%d", (int)child);
    bool found = stat("core", ret) == 0 || stat(name, ret) == 0;
    unlink("core");
    unlink(name);
    return found;
}

/* In a child, which moves into the folder and back out with its end. */
static void check_core(void *folder)
{
    struct stat core;
    struct timespec begin, end;
    int status;

    REQUIRE(chdir(folder) == 0);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    pid_t child = fork();
    if (child == 0)
        dump_core(folder);
    REQUIRE(waitpid(child, &status, 0) == child);
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        _exit(77);
    REQUIRE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    if (!stat_core(child, &core))
        _exit(77);
    check_say("# %ld MiB long, %ld MiB on disk\n", (long)(core.st_size / MIB),
              (long)(core.st_blocks / 2048));
    REQUIRE(core.st_blocks / 2048 >= HEAP_MIB / 2);
    REQUIRE(core.st_blocks / 2048 < HEAP_MIB + BESIDE_MIB);
    REQUIRE(core.st_size / MIB < 3 * HEAP_MIB + BESIDE_MIB); /* with holes for the quarantine */
    REQUIRE(end.tv_sec - begin.tv_sec <= SECONDS_MOST);
}

TEST(a_core_dump_is_as_large_as_the_heap)
{
    char folder[] = "core-XXXXXX";

    NOT_OVER_GLIBC();
    if (!core_goes_to_the_folder())
        SKIP("core dumps go elsewhere here");
    if (!EXPECT(mkdtemp(folder) != NULL))
        return;
    int ending = child_ending(check_core, realpath(folder, NULL));
    rmdir(folder);
    if (ending == 77)
        SKIP("this user gets no core dump");
    EXPECT_EQUAL(ending, 0);
}

BODY(adds_up_its_address_space)
{
    long before = number_in("/proc/self/status", "VmSize:") / 1024;

    build_a_heap();
    long after = number_in("/proc/self/status", "VmSize:") / 1024;
    long resident = number_in("/proc/self/status", "VmRSS:") / 1024;

    REQUIRE(before < 128);
    REQUIRE(after - before < 2 * HEAP_MIB + 256 + BESIDE_MIB); /* 256 MiB wait in quarantine */
    REQUIRE(resident < HEAP_MIB + BESIDE_MIB);
}

TEST(no_address_space_is_reserved_beyond_the_heap_and_its_quarantine)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("adds_up_its_address_space", "", 0, ""));
    EXPECT(again_is("adds_up_its_address_space", "guard_madvise=0", 0, ""));
    EXPECT(again_is("adds_up_its_address_space", "profile=fast", 0, ""));
}
