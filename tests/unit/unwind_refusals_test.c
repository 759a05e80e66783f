/* Tables and registers that say what cannot be, one thing at a time: each is refused. */
#include "test.h"
#include "unwind.h"
#include "unwind_cache.h"
#include "unwind_machine.h"
#include "unwind_module.h"
#include "unwind_rule.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define FRAMES 64

/* Two bytes of code; the rows of the second say `rows`. */
#define TABLE(name_, rows_)                                                                        \
    void name_(void);                                                                              \
    __asm__(".text\n.type " #name_ ", @function\n" #name_ ":\n.cfi_startproc\nnop\n" rows_         \
            "\nnop\n.cfi_endproc\n"                                                                \
            ".size " #name_ ", .-" #name_ "\n")

#define FIVE_TIMES(text) text text text text text
#define FOUR_TIMES(text) text text text text

TABLE(plain, ".cfi_offset 3, -16");
/* rbx, with an offset in units of -8: 2^40 of them in a signed number, 2^62 in an unsigned one */
TABLE(far_away, ".cfi_escape 0x11,3,0x80,0x80,0x80,0x80,0x80,0x20");
TABLE(beyond_all, ".cfi_escape 0x05,3,0x80,0x80,0x80,0x80,0x80,0x80,0x80,0x80,0x40");
TABLE(four_remembered, FOUR_TIMES(".cfi_remember_state\n") FOUR_TIMES(".cfi_restore_state\n"));
TABLE(five_remembered, FIVE_TIMES(".cfi_remember_state\n") FIVE_TIMES(".cfi_restore_state\n"));
/* The frame's address as an expression: {breg7 2^40, deref}, {breg7 8, deref, deref}, {breg7} */
TABLE(far_expression, ".cfi_escape 0x0f,8,0x77,0x80,0x80,0x80,0x80,0x80,0x20,0x06");
TABLE(long_expression, ".cfi_escape 0x0f,4,0x77,8,0x06,0x06");
TABLE(cut_expression, ".cfi_escape 0x0f,1,0x77");
TABLE(short_expression, ".cfi_escape 0x0f,3,0x77,8,0x06");

/* The frame's address lies where rbp points to; rbp lies far below the stack; it is needed. */
TABLE(by_frame_word, ".cfi_escape 0x0f,3,0x76,0,0x06");
TABLE(frame_lost, ".cfi_offset 6, -4000");
TABLE(by_frame, ".cfi_def_cfa 6, 16");

static bool rule_of(void (*table)(void), struct rule *ret_rule)
{
    struct module module;

    EXPECT(sg_module_of((uintptr_t)table, &module));
    return sg_rule_find(&module, (uintptr_t)table + 1, ret_rule);
}

TEST(numbers_that_do_not_fit_a_rule_make_none)
{
    struct rule rule;

    EXPECT(rule_of(plain, &rule));
    EXPECT_EQUAL(rule.followed[FOLLOW_RBX].number + 16, 0);
    EXPECT(!rule_of(far_away, &rule));
    EXPECT(!rule_of(beyond_all, &rule));
}

TEST(as_many_states_are_remembered_as_there_is_room_for)
{
    struct rule rule;

    EXPECT(rule_of(four_remembered, &rule));
    EXPECT(!rule_of(five_remembered, &rule));
}

TEST(only_an_expression_that_is_simple_is_said_simply)
{
    struct rule rule;

    EXPECT(rule_of(short_expression, &rule));
    EXPECT_EQUAL(rule.cfa.how, HOW_REGISTER_MEMORY);
    EXPECT_EQUAL(rule.cfa.number, 8);
    EXPECT(rule_of(far_expression, &rule));
    EXPECT_EQUAL(rule.cfa.how, HOW_EXPRESSION_VALUE);
    EXPECT(rule_of(long_expression, &rule));
    EXPECT_EQUAL(rule.cfa.how, HOW_EXPRESSION_VALUE);
    EXPECT(rule_of(cut_expression, &rule));
    EXPECT_EQUAL(rule.cfa.how, HOW_EXPRESSION_VALUE);
}

/* A copy of the tables of this program, and the place of `plain` beside it. */
static struct copied {
    struct module module;
    const uint8_t *original;
    size_t bytes;
    uint8_t *memory;
} copied;

static bool copy_has_rule(size_t shift, size_t at, uint8_t value)
{
    uint8_t *copy = copied.memory + shift;
    struct module module = {(uintptr_t)copy, (uintptr_t)copy + copied.bytes, copy, "", NULL};
    struct rule rule;

    memcpy(copy, copied.original, copied.bytes);
    copy[at] = value;
    return sg_rule_find(
        &module, (uintptr_t)copy + ((uintptr_t)plain + 1 - (uintptr_t)copied.original), &rule);
}

TEST(an_index_of_another_kind_is_not_read)
{
    EXPECT(sg_module_of((uintptr_t)plain, &copied.module));
    copied.original = copied.module.eh_index;
    copied.bytes = copied.module.end - (uintptr_t)copied.original;
    copied.memory =
        mmap(NULL, copied.bytes + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(copied.memory != MAP_FAILED);
    EXPECT(copy_has_rule(0, 0, 1));     /* the version that there is */
    EXPECT(!copy_has_rule(0, 0, 2));    /* another */
    EXPECT(copy_has_rule(0, 3, 0x3b));  /* rows of two numbers of 4 bytes, from the index */
    EXPECT(!copy_has_rule(0, 3, 0x1b)); /* from themselves */
    EXPECT(copy_has_rule(4, 0, 1));
    EXPECT(!copy_has_rule(1, 0, 1)); /* where no row can lie */
    munmap(copied.memory, copied.bytes + 4096);
}

static bool is_kept(struct rule rule)
{
    static uint64_t key = 0x1234567890abcdef;

    sg_cache_keep(++key, &rule);
    return cache_find(key).is_valid;
}

TEST(the_cache_keeps_what_a_word_can_say)
{
    const struct rule simple = {
        .cfa = {.how = HOW_REGISTER, .base = REGISTER_STACK, .number = 32},
        .followed[FOLLOW_PC] = {.how = HOW_CFA, .number = -8},
        .followed[FOLLOW_FRAME] = {.how = HOW_CFA, .number = -16},
    };
    struct rule rule = simple;

    EXPECT(is_kept(simple));
    rule.followed[FOLLOW_PC].how = HOW_REGISTER; /* a leaf of another machine */
    EXPECT(!is_kept(rule));
    rule = simple;
    rule.followed[FOLLOW_RBX] = (struct location){.how = HOW_CFA, .number = -40000};
    EXPECT(!is_kept(rule));
    rule.followed[FOLLOW_RBX].number = -32000;
    EXPECT(is_kept(rule));
    rule.followed[FOLLOW_RBX].number = 0; /* means "not saved" in the word */
    EXPECT(!is_kept(rule));
    rule = simple;
    rule.cfa.how = HOW_REGISTER_MEMORY; /* from the stack pointer, and not from rbp */
    EXPECT(!is_kept(rule));
    rule.cfa.base = REGISTER_FRAME;
    EXPECT(is_kept(rule));
    rule.followed[FOLLOW_FRAME] =
        (struct location){.how = HOW_REGISTER_MEMORY, .base = REGISTER_STACK, .number = 8};
    EXPECT(!is_kept(rule));
    rule.followed[FOLLOW_FRAME].base = REGISTER_FRAME;
    EXPECT(is_kept(rule));
}

static uintptr_t frames[FRAMES];
/* Volatile: to the compiler no signal handler comes between raise() and what follows. */
static volatile size_t count;
static volatile int depth;

static void go_down(int number)
{
    if (--depth > 0)
        raise(number);
    else
        count = sg_unwind(frames, FRAMES, NULL);
}

static size_t walk_out_of_handlers(int handlers)
{
    struct sigaction action = {.sa_handler = go_down, .sa_flags = SA_NODEFER};

    sigaction(SIGUSR1, &action, NULL);
    depth = handlers;
    raise(SIGUSR1);
    return count;
}

TEST(a_walk_leaves_four_handlers_and_no_more)
{
    size_t three = walk_out_of_handlers(3), four = walk_out_of_handlers(4);
    size_t five = walk_out_of_handlers(5), nine = walk_out_of_handlers(9);

    EXPECT(four > three);
    EXPECT(five < four); /* it ends at the fifth, before it comes to main() */
    EXPECT_EQUAL(nine, five);
}

static sigjmp_buf back;

static void on_fault(int number)
{
    (void)number;
    count = sg_unwind(frames, FRAMES, NULL);
    siglongjmp(back, 1);
}

TEST(a_walk_does_not_leave_a_handler_for_nowhere)
{
    struct sigaction action = {.sa_handler = on_fault};
    void (*volatile nowhere)(void) = (void (*)(void))0x10;

    sigaction(SIGSEGV, &action, NULL);
    if (sigsetjmp(back, 1) == 0)
        nowhere();
    signal(SIGSEGV, SIG_DFL);
    EXPECT_EQUAL(count, 2); /* the handler, and what the kernel returns it to */
}

static uintptr_t stack[64];

static size_t walk_from(uintptr_t pc, uintptr_t stack_pointer, uintptr_t frame_pointer)
{
    ucontext_t context = {0};

    context.uc_mcontext.gregs[REG_RIP] = (greg_t)pc;
    context.uc_mcontext.gregs[REG_RSP] = (greg_t)stack_pointer;
    context.uc_mcontext.gregs[REG_RBP] = (greg_t)frame_pointer;
    return sg_unwind(frames, FRAMES, &context);
}

TEST(a_walk_of_no_frames_has_none)
{
    ucontext_t context = {0};

    frames[0] = 7;
    EXPECT_EQUAL(sg_unwind(frames, 0, &context), 0);
    EXPECT_EQUAL(frames[0], 7);
}

/* Code that no table knows; its frame says that it was called from a number too small for code. */
TEST(a_return_to_the_first_page_ends_the_walk)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    EXPECT(code != MAP_FAILED);
    stack[32] = (uintptr_t)&stack[40];
    stack[33] = (uintptr_t)plain + 1;
    EXPECT(walk_from((uintptr_t)code + 16, (uintptr_t)&stack[8], (uintptr_t)&stack[32]) >= 2);
    EXPECT_EQUAL(frames[1], (uintptr_t)plain + 1);
    stack[33] = 0x10;
    EXPECT_EQUAL(walk_from((uintptr_t)code + 16, (uintptr_t)&stack[8], (uintptr_t)&stack[32]), 1);
    munmap(code, 4096);
}

TEST(what_lies_outside_of_the_stack_is_not_read)
{
    stack[32] = (uintptr_t)&stack[40];
    stack[39] = (uintptr_t)plain + 1;
    stack[8] = (uintptr_t)by_frame + 2;
    stack[33] = (uintptr_t)plain + 1;
    for (int round = 0; round < 2; round++) { /* the second out of the cache */
        uintptr_t pc = (uintptr_t)by_frame_word + 1;

        EXPECT(walk_from(pc, (uintptr_t)&stack[8], (uintptr_t)&stack[32]) >= 2);
        EXPECT_EQUAL(frames[1], (uintptr_t)plain + 1);
        EXPECT_EQUAL(walk_from(pc, (uintptr_t)&stack[8], 0), 1);

        EXPECT(walk_from((uintptr_t)by_frame + 1, (uintptr_t)&stack[8], (uintptr_t)&stack[32]) >=
               2);
        EXPECT_EQUAL(
            walk_from((uintptr_t)frame_lost + 1, (uintptr_t)&stack[8], (uintptr_t)&stack[32]), 2);
        EXPECT_EQUAL(frames[1], (uintptr_t)by_frame + 2);
    }
}

/* What called through a bad pointer is at the top of the stack, where a word can be. */
TEST(a_stack_that_is_not_aligned_is_none)
{
    stack[8] = (uintptr_t)plain + 1;
    EXPECT(walk_from(0x10, (uintptr_t)&stack[8], 0) >= 2);
    EXPECT_EQUAL(frames[1], (uintptr_t)plain + 1);
    EXPECT_EQUAL(walk_from(0x10, (uintptr_t)&stack[8] + 4, 0), 1);
}
