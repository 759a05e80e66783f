/* The line of each misuse, whole, and the ways out of the process. */
#include "report.h"
#include "slot.h"
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096

/* This program holds the library itself: no place in it can be told from ours, so at= is absent. */
#define TAIL " id=[0-9a-f]{8}\\)\n$"
#define IN_CLASS_7 " \\(profile=strict class=7" TAIL
#define LARGE " \\(profile=strict class=large" TAIL
#define NO_BLOCK " \\(profile=strict" TAIL

static int pipe_ends[2];

static void report_to_pipe(void)
{
    EXPECT(pipe(pipe_ends) == 0);
    sg_report_configure(&(struct report_settings){
        .profile = "strict", .target = REPORT_DESCRIPTOR, .descriptor = pipe_ends[1]});
}

static void close_pipe(void)
{
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static bool matches(const char *line, const char *pattern)
{
    regex_t expression;
    bool does;

    if (regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    does = regexec(&expression, line, 0, NULL, 0) == 0;
    regfree(&expression);
    return does;
}

static const char *line_of(const struct misuse *misuse)
{
    static char line[LINE_MAX_BYTES];
    ssize_t got;

    report_to_pipe();
    sg_report_line_of(misuse);
    got = read(pipe_ends[0], line, sizeof(line) - 1);
    line[got > 0 ? got : 0] = '\0';
    close_pipe();
    return line;
}

/* `text` is what stands between "spanguard[PID]: " and " (profile=". */
static void expect_line(struct misuse misuse, const char *text, const char *end)
{
    char pattern[1024];
    const char *line;

    if (misuse.function == NULL)
        misuse.function = "free";
    if (misuse.class == 0)
        misuse.class = 7;
    snprintf(pattern, sizeof(pattern), "^spanguard\\[%d\\]: %s%s", getpid(), text, end);
    line = line_of(&misuse);
    if (!matches(line, pattern)) {
        printf("# said: %s# expected: %s\n", line, pattern);
        test_failed(__FILE__, __LINE__, "the line of this kind");
    }
}

#define AT(number) ((const void *)(uintptr_t)(number))

TEST(overflow_found_late)
{
    expect_line((struct misuse){.kind = MISUSE_OVERFLOW, .block_bytes = 24, .offset = 25},
                "P101 heap overflow: free: a block of 24 bytes was written past its end,"
                " first at \\+25",
                IN_CLASS_7);
}

TEST(overflow_found_by_a_fault)
{
    expect_line((struct misuse){.kind = MISUSE_OVERFLOW_FAULT,
                                .function = "fault",
                                .address = AT(0x15010),
                                .block = 0x14000,
                                .block_bytes = 4096,
                                .is_write = true,
                                .class = REPORT_CLASS_LARGE},
                "P102 heap overflow: fault: WRITE at \\+4112, 16 bytes past the end of a block of"
                " 4096 bytes",
                LARGE);
}

TEST(underflow_found_late)
{
    expect_line((struct misuse){.kind = MISUSE_UNDERFLOW, .block_bytes = 24, .offset = 8},
                "P103 heap underflow: free: 8 bytes before the block that follows one of 24 bytes"
                " were written",
                IN_CLASS_7);
}

TEST(underflow_found_by_a_fault)
{
    expect_line((struct misuse){.kind = MISUSE_UNDERFLOW_FAULT,
                                .function = "fault",
                                .address = AT(0x13ff8),
                                .block = 0x14000,
                                .block_bytes = 4096},
                "P104 heap underflow: fault: READ 8 bytes before a block of 4096 bytes",
                IN_CLASS_7);
}

TEST(copies_beyond_a_block)
{
    struct misuse copy = {.kind = MISUSE_COPY_WRITE,
                          .function = "memcpy",
                          .address = AT(0x14004),
                          .block = 0x14000,
                          .block_bytes = 24,
                          .stated = 100,
                          .state = SLOT_LIVE_MALLOC};

    expect_line(copy, "P105 copy overflow: memcpy: 100 bytes to \\+4 of a block of 24 bytes",
                IN_CLASS_7);
    copy.state = SLOT_CACHED;
    expect_line(copy, "P105 copy overflow: memcpy: 100 bytes to \\+4 of a free block of 24 bytes",
                IN_CLASS_7);
    copy.state = SLOT_LIVE_MALLOC;
    copy.kind = MISUSE_COPY_READ;
    expect_line(copy, "P106 copy over-read: memcpy: 100 bytes from \\+4 of a block of 24 bytes",
                IN_CLASS_7);
}

TEST(use_after_free_found_by_a_fault)
{
    expect_line((struct misuse){.kind = MISUSE_FREED_FAULT,
                                .function = "fault",
                                .address = AT(0x14004),
                                .block = 0x14000,
                                .block_bytes = 1048576,
                                .class = REPORT_CLASS_LARGE},
                "P201 use after free: fault: READ at \\+4 of a freed block of 1048576 bytes",
                LARGE);
}

TEST(write_after_free_found_late)
{
    expect_line(
        (struct misuse){
            .kind = MISUSE_FREED_WRITE, .function = "malloc", .block_bytes = 64, .offset = 4},
        "P202 write after free: malloc: a free block of 64 bytes was written to,"
        " first at \\+4",
        IN_CLASS_7);
}

TEST(frees_of_what_is_free_or_gone)
{
    expect_line((struct misuse){.kind = MISUSE_DOUBLE_FREE, .block_bytes = 120},
                "P203 double free: free: a block of 120 bytes that is already free", IN_CLASS_7);
    expect_line((struct misuse){.kind = MISUSE_STALE},
                "P204 stale pointer: free: no block is there any more, its memory was recycled",
                NO_BLOCK);
}

TEST(frees_of_what_is_no_start_of_a_block)
{
    struct misuse inside = {.kind = MISUSE_INTERIOR,
                            .address = AT(0x14010),
                            .block = 0x14000,
                            .block_bytes = 64,
                            .state = SLOT_LIVE_MALLOC};

    expect_line(inside, "P301 interior pointer: free: 16 bytes inside a live block of 64 bytes",
                IN_CLASS_7);
    inside.state = SLOT_CACHED;
    expect_line(inside, "P301 interior pointer: free: 16 bytes inside a free block of 64 bytes",
                IN_CLASS_7);
    inside.kind = MISUSE_UNALIGNED;
    inside.address = AT(0x14003);
    inside.state = SLOT_LIVE_NEW;
    expect_line(inside, "P303 unaligned pointer: free: 3 bytes inside a live block of 64 bytes",
                IN_CLASS_7);
    expect_line((struct misuse){.kind = MISUSE_FOREIGN, .address = AT(0x14000)},
                "P302 foreign pointer: free: the address was never handed out by this allocator",
                NO_BLOCK);
}

TEST(calls_that_do_not_fit_the_block)
{
    struct misuse mismatch = {
        .kind = MISUSE_INTERFACE, .block_bytes = 120, .state = SLOT_LIVE_NEW_ARRAY, .stated = 4};

    expect_line(mismatch, "P401 interface mismatch: free: a block of 120 bytes made by new\\[\\]",
                IN_CLASS_7);
    mismatch.state = SLOT_CACHED; /* by now another thread freed it; or no state at all is there */
    expect_line(mismatch,
                "P401 interface mismatch: free: a block of 120 bytes made by another interface",
                IN_CLASS_7);
    mismatch.state = UINT8_MAX;
    expect_line(mismatch,
                "P401 interface mismatch: free: a block of 120 bytes made by another interface",
                IN_CLASS_7);
    mismatch.kind = MISUSE_SIZE;
    mismatch.function = "operator delete";
    expect_line(mismatch,
                "P402 size mismatch: operator delete: size 4 stated for a block of 120 bytes",
                IN_CLASS_7);
    mismatch.kind = MISUSE_ALIGNMENT;
    mismatch.stated = 64;
    expect_line(mismatch,
                "P403 alignment mismatch: operator delete: alignment 64 stated for a block of 120"
                " bytes that lacks it",
                IN_CLASS_7);
}

TEST(findings_inside_the_allocator)
{
    expect_line((struct misuse){.kind = MISUSE_CACHED_SLOT, .block_bytes = 64},
                "P801 free slot changed hands: free: a block of 64 bytes waits in a cache and is"
                " not free: freed by two threads at once, or by a signal handler inside malloc",
                IN_CLASS_7);
    expect_line((struct misuse){.kind = MISUSE_REENTRY, .function = "malloc"},
                "P802 allocator re-entered: malloc: a signal handler called it while it"
                " interrupted the allocator",
                NO_BLOCK);
    expect_line((struct misuse){.kind = MISUSE_ENTRY, .function = "malloc"},
                "P803 damaged cache entry: malloc: an entry of a cache of free blocks does not"
                " decode",
                NO_BLOCK);
}

/* Frames of libc: any other module than this program. */
static struct stack stack_in_libc(uint32_t count)
{
    struct stack stack = {.count = count};

    for (uint32_t i = 0; i < count; i++)
        stack.frames[i] = (uintptr_t)qsort + 1 + 16 * i;
    return stack;
}

#define PLACE "libc\\.so\\.6\\+0x[0-9a-f]+"

TEST(stacks_of_a_sampled_block_follow)
{
    struct stack made = stack_in_libc(2), freed = stack_in_libc(STACK_FRAMES);
    struct misuse misuse = {
        .kind = MISUSE_DOUBLE_FREE, .block_bytes = 8, .allocated = &made, .freed = &freed};

    expect_line(misuse, "P203 double free: free: a block of 8 bytes that is already free",
                " \\(profile=strict class=7 id=[0-9a-f]{8} allocated=" PLACE "<" PLACE
                " freed=" PLACE "(<" PLACE "){7}\\)\n$");
    made.count = 1000; /* damaged: no more than there is room for is read */
    misuse.freed = NULL;
    expect_line(misuse, "P203 double free: free: a block of 8 bytes that is already free",
                " \\(profile=strict class=7 id=[0-9a-f]{8} allocated=" PLACE "(<" PLACE
                "){1,7}\\)\n$");
}

static const struct misuse twice = {
    .kind = MISUSE_DOUBLE_FREE, .function = "free", .block_bytes = 120, .class = 7};

TEST(errno_stays_and_the_last_line_is_kept)
{
    const char *line;

    errno = 77;
    line = line_of(&twice);
    EXPECT_EQUAL(errno, 77);
    EXPECT(strlen(line) > 60);
    EXPECT_EQUAL(strlen(sg_report_last), strlen(line) - 1);
    EXPECT(strncmp(sg_report_last, line, strlen(line) - 1) == 0);
}

TEST(the_same_place_has_the_same_id_and_another_code_has_another)
{
    struct misuse other = twice;
    char ids[3][9] = {"", "", ""};

    other.kind = MISUSE_SIZE;
    for (int i = 0; i < 3; i++) {
        const char *line = line_of(i < 2 ? &twice : &other);

        memcpy(ids[i], strstr(line, " id=") + 4, 8);
    }
    EXPECT(strcmp(ids[0], ids[1]) == 0);
    EXPECT(strcmp(ids[0], ids[2]) != 0);
}

static void die(void)
{
    sg_report_configure(&(struct report_settings){.profile = "fast", .target = REPORT_STDERR});
    sg_report_misuse(&twice);
}

TEST(a_misuse_ends_the_process)
{
    EXPECT(test_dies_saying(die, "P203 double free: free: a block of 120 bytes that is already"
                                 " free (profile=fast class=7 id="));
}

static void die_silently(void)
{
    close(STDERR_FILENO);
    die();
}

TEST(a_closed_stderr_does_not_hurt)
{
    EXPECT(test_dies_saying(die_silently, ""));
}

static void die_with_a_closed_descriptor(void)
{
    sg_report_configure(&(struct report_settings){
        .profile = "fast", .target = REPORT_DESCRIPTOR, .descriptor = 1000});
    sg_report_misuse(&twice);
}

TEST(what_no_descriptor_takes_goes_to_stderr)
{
    EXPECT(test_dies_saying(die_with_a_closed_descriptor, "P203 double free"));
}

#define THREADS 6
#define LINES_EACH 40

static void *report_often(void *unused)
{
    for (int i = 0; i < LINES_EACH; i++)
        sg_report_line_of(&twice);
    return unused;
}

static int count_whole_lines(FILE *lines)
{
    char line[LINE_MAX_BYTES];
    int count = 0;

    while (fgets(line, sizeof(line), lines) != NULL) {
        bool is_whole = matches(line, "^spanguard\\[[0-9]+\\]: P203 [^(]*" IN_CLASS_7);

        EXPECT(is_whole);
        count += is_whole;
    }
    return count;
}

TEST(lines_of_many_threads_stay_whole)
{
    pthread_t threads[THREADS];
    FILE *lines;

    report_to_pipe();
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, report_often, NULL);
    for (int i = 0; i < THREADS; i++) /* a pipe holds 64 KiB: all of it */
        pthread_join(threads[i], NULL);
    close(pipe_ends[1]);
    lines = fdopen(pipe_ends[0], "r");
    EXPECT_EQUAL(count_whole_lines(lines), THREADS * LINES_EACH);
    fclose(lines);
}

#define STACK_BYTES (64 * 1024)

static void *report_once(void *ret_depth)
{
    sg_report_line_of(&twice);
    *(uintptr_t *)ret_depth = (uintptr_t)__builtin_frame_address(0);
    return NULL;
}

TEST(a_report_needs_little_stack)
{
    static alignas(4096) unsigned char stack[STACK_BYTES];
    pthread_attr_t attributes;
    uintptr_t start;
    pthread_t thread;
    size_t untouched = 0;

    report_to_pipe();
    memset(stack, 0xa5, sizeof(stack));
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, sizeof(stack));
    EXPECT(pthread_create(&thread, &attributes, report_once, &start) == 0);
    pthread_join(thread, NULL);
    close_pipe();
    while (stack[untouched] == 0xa5)
        untouched++;
    printf("# %zu bytes of stack\n", (size_t)(start - (uintptr_t)&stack[untouched]));
    EXPECT(start - (uintptr_t)&stack[untouched] < 5 * 1024);
}
