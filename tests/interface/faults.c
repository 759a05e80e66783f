/* Faults on memory of the library's are told in one line; every other fault, and every program
 * with a handler of its own, sees what it would have seen without the library. */
#include "again.h"
#include "probe.h"

#include <pthread.h>
#include <sys/mman.h>

enum { LARGE = 1 << 20, DIED = 128 + SIGSEGV };

#define WRITE_SENTENCE                                                                             \
    " P102 heap overflow: fault: WRITE at +1048576, 0 bytes past the end of a block of 1048576 "   \
    "bytes ("

static char *large_block(void)
{
    char *block = malloc(opaque(LARGE));

    REQUIRE(block != NULL);
    memset(block, 1, LARGE);
    return block;
}

static void touch(volatile char *address)
{
    *address = 1;
}

static void overflow(void)
{
    touch(large_block() + opaque(LARGE));
}

BODY(writes_behind_a_large_block)
{
    overflow();
}

BODY(reads_behind_a_large_block)
{
    volatile char *block = large_block();

    (void)block[opaque(LARGE)];
}

BODY(writes_before_a_large_block)
{
    touch(large_block() - opaque(8));
}

BODY(reads_a_freed_large_block)
{
    volatile char *block = large_block();

    free((void *)block);
    (void)block[opaque(4)];
}

TEST(a_fault_on_a_guard_is_told_and_ends_the_program_by_SIGSEGV)
{
    NOT_OVER_GLIBC();
    EXPECT(again_reports("writes_behind_a_large_block", "", DIED, WRITE_SENTENCE));
    EXPECT(again_reports("reads_behind_a_large_block", "", DIED,
                         " P102 heap overflow: fault: READ at +1048576, 0 bytes past the end of a "
                         "block of 1048576 bytes ("));
    EXPECT(again_reports("writes_before_a_large_block", "", DIED,
                         " P104 heap underflow: fault: WRITE 8 bytes before a block of 1048576 "
                         "bytes ("));
    EXPECT(again_reports("reads_a_freed_large_block", "", DIED,
                         " P201 use after free: fault: READ at +4 of a freed block of 1048576 "
                         "bytes ("));
}

TEST(faults_are_told_in_every_profile_and_without_guard_madvise)
{
    static const char *const options[] = {"profile=fast", "profile=strict", "guard_madvise=0",
                                          "seal=0", "sample_bytes=0"};

    NOT_OVER_GLIBC();
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        EXPECT(again_reports("writes_behind_a_large_block", options[i], DIED, WRITE_SENTENCE));
}

TEST(fault_reports_0_says_nothing)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("writes_behind_a_large_block", "fault_reports=0", DIED, ""));
    EXPECT(again_is("reads_a_freed_large_block", "fault_reports=0", DIED, ""));
}

static void *overflow_in_thread(void *unused)
{
    overflow();
    return unused;
}

BODY(faults_in_a_thread)
{
    pthread_t thread;

    REQUIRE(pthread_create(&thread, NULL, overflow_in_thread, NULL) == 0);
    pthread_join(thread, NULL);
}

BODY(faults_in_a_child)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        overflow();
        _exit(0);
    }
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

TEST(a_fault_in_a_thread_or_a_forked_child_is_told)
{
    NOT_OVER_GLIBC();
    EXPECT(again_reports("faults_in_a_thread", "", DIED, WRITE_SENTENCE));
    EXPECT(again_reports("faults_in_a_child", "", 0, WRITE_SENTENCE));
}

BODY(four_threads_fault_at_once)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        REQUIRE(pthread_create(&threads[i], NULL, overflow_in_thread, NULL) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

TEST(faults_in_several_threads_at_once_are_whole_lines)
{
    NOT_OVER_GLIBC();
    struct again result = again("four_threads_fault_at_once", "");
    char *line = result.text;
    int lines = 0;

    EXPECT_EQUAL(result.ending, DIED);
    for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1, lines++) {
        *end = '\0';
        EXPECT(strncmp(line, "spanguard[", 10) == 0 && strstr(line, WRITE_SENTENCE) != NULL &&
               end[-1] == ')');
    }
    EXPECT(lines >= 1 && lines <= 4);
}

/* ---- not ours ---- */

BODY(dereferences_NULL)
{
    free(large_block());
    touch((char *)opaque(0));
}

BODY(uses_an_address_that_no_process_has)
{
    free(large_block());
    touch((char *)opaque((size_t)0x4141414141414141));
}

BODY(uses_a_closed_page_of_its_own)
{
    char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    free(large_block());
    touch(page);
}

BODY(writes_to_its_own_constants)
{
    free(large_block());
    touch((char *)opaque((size_t) "constant"));
}

TEST(a_fault_on_other_memory_is_as_without_the_library)
{
    EXPECT(again_is("dereferences_NULL", "", DIED, ""));
    EXPECT(again_is("uses_an_address_that_no_process_has", "", DIED, ""));
    EXPECT(again_is("uses_a_closed_page_of_its_own", "", DIED, ""));
    EXPECT(again_is("writes_to_its_own_constants", "", DIED, ""));
}

BODY(is_sent_SIGSEGV_by_kill)
{
    kill(getpid(), SIGSEGV);
    sleep(5);
}

BODY(raises_SIGSEGV)
{
    raise(SIGSEGV);
    sleep(5);
}

BODY(queues_SIGSEGV)
{
    union sigval value = {.sival_ptr = large_block() + LARGE};

    sigqueue(getpid(), SIGSEGV, value);
    sleep(5);
}

TEST(SIGSEGV_that_somebody_sends_kills_without_a_line)
{
    EXPECT(again_is("is_sent_SIGSEGV_by_kill", "", DIED, ""));
    EXPECT(again_is("raises_SIGSEGV", "", DIED, ""));
    EXPECT(again_is("queues_SIGSEGV", "", DIED, ""));
}

/* Neither a tail call nor a loop: each level keeps its page. */
static size_t recurse(size_t depth)
{
    volatile char frame[4096];

    frame[0] = (char)depth;
    if (opaque(depth) == SIZE_MAX)
        return 0;
    return recurse(depth + opaque(1)) + (size_t)frame[0];
}

BODY(overflows_its_stack)
{
    struct rlimit limit = {LARGE, LARGE};

    free(large_block());
    REQUIRE(setrlimit(RLIMIT_STACK, &limit) == 0);
    recurse(0);
}

static void *recurse_in_thread(void *unused)
{
    recurse(0);
    return unused;
}

BODY(overflows_the_stack_of_a_thread)
{
    pthread_t thread;

    REQUIRE(pthread_create(&thread, NULL, recurse_in_thread, NULL) == 0);
    pthread_join(thread, NULL);
}

static void use_other_stack(void)
{
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};

    REQUIRE(sigaltstack(&stack, NULL) == 0);
}

BODY(overflows_its_stack_beside_another)
{
    struct rlimit limit = {LARGE, LARGE};

    use_other_stack();
    REQUIRE(setrlimit(RLIMIT_STACK, &limit) == 0);
    recurse(0);
}

TEST(an_overflow_of_the_stack_kills_without_a_line)
{
    EXPECT(again_is("overflows_its_stack", "", DIED, ""));
    EXPECT(again_is("overflows_the_stack_of_a_thread", "", DIED, ""));
    EXPECT(again_is("overflows_its_stack_beside_another", "", DIED, ""));
}

BODY(reads_into_a_guard)
{
    int ends[2];
    char *block = large_block();

    REQUIRE(pipe(ends) == 0);
    REQUIRE(write(ends[1], block + LARGE, 8) == -1 && errno == EFAULT);
    REQUIRE(write(ends[1], "text", 4) == 4);
    REQUIRE(read(ends[0], block + LARGE, 4) == -1 && errno == EFAULT);
}

TEST(a_system_call_on_a_guard_returns_EFAULT)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("reads_into_a_guard", "", 0, ""));
    EXPECT(again_is("reads_into_a_guard", "guard_madvise=0", 0, ""));
}

BODY(looks_at_the_actions)
{
    static const int others[] = {SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP, SIGSYS};

    free(large_block());
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct sigaction now;

        REQUIRE(sigaction(others[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL);
    }
}

BODY(finds_SIGSEGV_untouched)
{
    struct sigaction now;

    REQUIRE(sigaction(SIGSEGV, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
}

TEST(no_other_signal_is_touched_and_with_fault_reports_0_none)
{
    EXPECT(again_is("looks_at_the_actions", "", 0, ""));
    EXPECT(again_is("finds_SIGSEGV_untouched", "fault_reports=0", 0, ""));
}
