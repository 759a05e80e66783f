/* What a kept walk depends on: as soon as any of it differs, it is not found. */
#include "test.h"

#include "capture.h"
#include "capture_thread.h"
#include "unwind.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ID 77
#define DEPTH 16

/* A stack with three words that count, and one that does not. */
static uintptr_t stack[8] = {10, 11, 12, 13, 14};
static struct memo memo;
static struct trace trace;
static struct registers start;

static void keep(void)
{
    memset(&memo, 0, sizeof(memo));
    memset(&trace, 0, sizeof(trace));
    trace.is_whole = trace.needs_frame = true;
    trace.read_count = 3;
    for (uint32_t i = 0; i < 3; i++) {
        trace.addresses[i] = (uintptr_t)&stack[i * 2];
        trace.values[i] = stack[i * 2];
    }
    start.known = 0;
    registers_set(&start, REGISTER_STACK, (uintptr_t)stack);
    registers_set(&start, REGISTER_PC, 1000);
    registers_set(&start, REGISTER_FRAME, 2000);
    registers_set(&start, REGISTER_RBX, 3000);
    EXPECT_EQUAL(sg_memo_find(&memo, &start, DEPTH), 0); /* as each capture does first */
    sg_memo_keep(&memo, &(struct memo_fact){&start, &trace, DEPTH, ID});
    EXPECT_EQUAL(sg_memo_find(&memo, &start, DEPTH), ID);
}

static stack_id find(void)
{
    return sg_memo_find(&memo, &start, DEPTH);
}

TEST(a_kept_walk_is_found_again)
{
    keep();
    EXPECT_EQUAL(find(), ID);
    EXPECT_EQUAL(find(), ID);
}

TEST(not_if_a_word_of_the_stack_that_counts_differs)
{
    keep();
    for (uint32_t i = 0; i < 8; i++) {
        stack[i] ^= 1;
        EXPECT_EQUAL(find(), i == 0 || i == 2 || i == 4 ? 0 : ID);
        stack[i] ^= 1;
    }
}

TEST(not_if_a_register_that_counts_differs)
{
    keep();
    start.value[REGISTER_FRAME]++;
    EXPECT_EQUAL(find(), 0);
    start.value[REGISTER_FRAME]--;
    start.value[REGISTER_PC]++;
    EXPECT_EQUAL(find(), 0);
    start.value[REGISTER_PC]--;
    start.value[REGISTER_RBX]++;
    EXPECT_EQUAL(find(), ID);
    start.value[REGISTER_STACK] += 8;
    EXPECT_EQUAL(find(), 0);
}

TEST(not_for_another_depth)
{
    keep();
    EXPECT_EQUAL(sg_memo_find(&memo, &start, DEPTH - 1), 0);
}

TEST(not_after_a_module_was_unloaded)
{
    keep();
    sg_unwind_forget();
    EXPECT_EQUAL(find(), 0);
    EXPECT_EQUAL(find(), 0);
}

/* Of coroutines: where an outer frame was may be closed once another one runs in its place. */
TEST(no_word_is_read_before_those_of_the_pages_nearer_to_it_are_the_same)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), words = page / sizeof(uintptr_t);
    uintptr_t *pages =
        mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    keep();
    EXPECT(pages != MAP_FAILED);
    trace.read_count = 3;
    for (uint32_t i = 0; i < 3; i++) {
        trace.addresses[i] = (uintptr_t)&pages[words - 2 + i];
        trace.values[i] = pages[words - 2 + i] = i + 1;
    }
    registers_set(&start, REGISTER_STACK, (uintptr_t)&pages[words - 8]);
    sg_memo_keep(&memo, &(struct memo_fact){&start, &trace, DEPTH, ID});
    EXPECT_EQUAL(find(), ID);
    pages[words] = 0;
    EXPECT_EQUAL(find(), 0);
    pages[words] = 3;
    EXPECT_EQUAL(find(), ID);
    pages[words - 2] = 0;
    EXPECT(mprotect(&pages[words], page, PROT_NONE) == 0);
    EXPECT_EQUAL(find(), 0);
    munmap(pages, 2 * page);
}

/* As a signal handler does that comes in the middle of a capture. */
TEST(a_capture_inside_another_leaves_what_that_works_with_alone)
{
    struct capture_thread *thread;
    struct capture_thread before;
    stack_id id = 0;

    capture_begin();
    for (int i = 0; i < 4; i++)
        id = sg_capture(DEPTH);
    thread = capture_enter((uintptr_t)__builtin_frame_address(0));
    EXPECT(thread != NULL);
    memcpy(&before, thread, sizeof(before));
    EXPECT(id != 0);
    for (int i = 0; i < 4; i++)
        EXPECT(sg_capture(DEPTH) != 0);
    EXPECT(memcmp(&before, thread, sizeof(before)) == 0);
    capture_leave(thread);
}
