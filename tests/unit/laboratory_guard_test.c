/* Guards on a kernel that refuses them, or that has too few mappings. Each test is a child of its
 * own: the way of guarding is chosen once in a process. */
#include "laboratory.h"
#include "os_guard.h"
#include "os_memory.h"
#include "test.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE ((size_t)4096)
#define INSTALL 102
#define REMOVE 103

static struct {
    bool lacks_guards; /* as before Linux 6.13 */
    bool lacks_proc;
    bool refuses_mprotect;
    bool stops_half_way;   /* an mprotect that closes more than a page */
    const char *map_count; /* what /proc says, if it is to say something else */
    unsigned removed;
    unsigned looked; /* for the count of mappings */
} kernel;

static bool names(const long *arguments, const char *path)
{
    return strcmp((const char *)arguments[1], path) == 0;
}

static bool answer_open(const long *arguments, long *ret_result)
{
    kernel.looked += names(arguments, "/proc/thread-self/maps");
    if (!kernel.lacks_proc)
        return false;
    *ret_result = -ENOENT;
    return true;
}

static bool answer_read(const long *arguments, long *ret_result)
{
    if (kernel.map_count == NULL)
        return false;
    *ret_result = (long)strlen(kernel.map_count);
    memcpy((void *)arguments[1], kernel.map_count, (size_t)*ret_result);
    return true;
}

static bool answer(long number, const long *arguments, long *ret_result)
{
    kernel.removed += number == SYS_madvise && arguments[2] == REMOVE;
    if (number == SYS_openat)
        return answer_open(arguments, ret_result);
    if (number == SYS_read)
        return answer_read(arguments, ret_result);
    *ret_result = number == SYS_madvise ? -EINVAL : -ENOMEM;
    return (number == SYS_madvise && arguments[2] == INSTALL && kernel.lacks_guards) ||
           (number == SYS_mprotect && kernel.refuses_mprotect);
}

/* The number of the first expectation that did not hold, as the status of the child. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return __LINE__ % 255 + 1;                                                             \
    } while (0)

static int status_of(int (*body)(void))
{
    int status = -1;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        alarm(20);
        laboratory.fault = answer;
        _exit(body());
    }
    waitpid(child, &status, 0);
    if (status != 0)
        printf("# ended with %#x\n", (unsigned)status);
    return status;
}

static size_t ranges_until_refused(char *memory, size_t most)
{
    size_t count = 0;

    while (count < most && sg_os_forbid_and_keep(memory + 2 * count * PAGE, PAGE))
        count++;
    return count;
}

#define RANGES 64

static int budget_of(const char *map_count, size_t budget, size_t expected)
{
    struct os_guard_statistics statistics;
    char *memory = sg_os_map(NULL, 2 * RANGES * PAGE);

    kernel.lacks_guards = true;
    kernel.map_count = map_count;
    sg_os_guard_start(false, budget);
    kernel.map_count = NULL;
    kernel.lacks_proc = true; /* so that the count stays ours */
    REQUIRE(sg_os_vacate(memory, PAGE) == OS_UNTOUCHED);
    REQUIRE(ranges_until_refused(memory, RANGES) == expected);
    sg_os_guard_statistics(&statistics);
    REQUIRE(statistics.splits_mappings);
    REQUIRE(statistics.refused == (expected < RANGES));
    REQUIRE(statistics.by_mprotect == expected);
    return 0;
}

static int of_the_limit(void)
{
    return budget_of("80\n", 0, 20);
}

static int of_no_number(void)
{
    return budget_of("none", 0, RANGES);
}

static int as_wanted(void)
{
    return budget_of("80\n", 7, 7);
}

TEST(the_budget_is_a_quarter_of_the_limit_or_as_wanted)
{
    EXPECT_EQUAL(status_of(of_the_limit), 0);
    EXPECT_EQUAL(status_of(of_no_number), 0);
    EXPECT_EQUAL(status_of(as_wanted), 0);
}

static int without_proc(void)
{
    kernel.lacks_proc = true;
    return budget_of(NULL, 0, RANGES);
}

static int by_request(void)
{
    char *memory = sg_os_map(NULL, PAGE);

    sg_os_guard_start(true, 0);
    REQUIRE(sg_os_vacate(memory, PAGE) == OS_UNTOUCHED);
    REQUIRE(sg_os_forbid(memory, PAGE) == OS_CLOSED_EMPTY);
    REQUIRE(sg_os_allow(memory, PAGE));
    memory[0] = 1;
    return kernel.removed != 0;
}

TEST(without_proc_and_by_request_mprotect_does_it)
{
    EXPECT_EQUAL(status_of(without_proc), 0);
    EXPECT_EQUAL(status_of(by_request), 0);
}

/* The kernel's own count is looked at when the budget is spent: what was opened counts no more. */
static int counted_anew(void)
{
    char *memory = sg_os_map(NULL, 2 * RANGES * PAGE);
    size_t count = 0;

    sg_os_guard_start(true, 1000);
    while (count < 3000 && sg_os_forbid_and_keep(memory, PAGE)) {
        REQUIRE(sg_os_allow(memory, PAGE));
        count++;
    }
    REQUIRE(count == 3000);
    REQUIRE(kernel.looked >= 2 && kernel.looked <= 10);
    return 0;
}

/* And one that says: too many. It is not asked for each range. */
static int refused_without_a_look(void)
{
    char *memory = sg_os_map(NULL, 2 * RANGES * PAGE);

    sg_os_guard_start(true, 2);
    REQUIRE(ranges_until_refused(memory, RANGES) == 2);
    for (int i = 0; i < 4000; i++)
        REQUIRE(!sg_os_forbid_and_keep(memory + PAGE, PAGE));
    REQUIRE(kernel.looked == 1);
    return 0;
}

TEST(the_budget_is_held_against_the_kernels_own_count)
{
    EXPECT_EQUAL(status_of(counted_anew), 0);
    EXPECT_EQUAL(status_of(refused_without_a_look), 0);
}

static int left_open(void)
{
    struct os_guard_statistics statistics;
    char *memory = sg_os_map(NULL, PAGE);

    kernel.lacks_guards = true;
    kernel.refuses_mprotect = true;
    sg_os_guard_start(false, 10);
    memory[0] = 1;
    REQUIRE(sg_os_forbid(memory, PAGE) == OS_OPEN);
    REQUIRE(memory[0] == 1);
    sg_os_guard_statistics(&statistics);
    REQUIRE(statistics.refused == 1);
    REQUIRE(!sg_os_allow(memory, PAGE)); /* who says that no part of it was forbidden? */
    kernel.refuses_mprotect = false;
    REQUIRE(sg_os_allow(memory, PAGE));
    return 0;
}

/* The advice works at the start and not later on, as with locked memory: half a range is undone. */
static int locked(void)
{
    char *memory = sg_os_map(NULL, PAGE);

    sg_os_guard_start(false, 0);
    if (sg_os_vacate(memory, PAGE) != OS_VACATED)
        return 0; /* a kernel without guards: there is no later */
    REQUIRE(sg_os_allow(memory, PAGE));
    kernel.lacks_guards = true;
    kernel.removed = 0;
    REQUIRE(sg_os_vacate(memory, PAGE) == OS_GUARDS_LOST);
    REQUIRE(kernel.removed == 1);
    memory[0] = 1;
    return 0;
}

TEST(what_cannot_be_forbidden_stays_open)
{
    EXPECT_EQUAL(status_of(left_open), 0);
    EXPECT_EQUAL(status_of(locked), 0);
}
