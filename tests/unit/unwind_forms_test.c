/* Frames whose tables say how to leave them in every form there is, not only in those that the
 * compiler at hand writes. The walk is compared with that of libgcc. */
#include "test.h"
#include "unwind.h"

#include <string.h>

struct _Unwind_Context;
int _Unwind_Backtrace(int (*see)(struct _Unwind_Context *, void *), void *opaque);
uintptr_t _Unwind_GetIP(struct _Unwind_Context *context);

enum { GO_ON = 0, END_OF_STACK = 5 };

#define FRAMES 32

static struct seen {
    uintptr_t frames[FRAMES];
    size_t count;
} ours, theirs;

static int see(struct _Unwind_Context *context, void *opaque)
{
    struct seen *seen = opaque;
    uintptr_t pc = _Unwind_GetIP(context);

    if (pc == 0 || seen->count == FRAMES)
        return END_OF_STACK;
    seen->frames[seen->count++] = pc;
    return GO_ON;
}

static bool is_compared = true;

void look_from_here(void);

__attribute__((noinline, used)) void look_from_here(void)
{
    memset(&ours, 0, sizeof(ours));
    memset(&theirs, 0, sizeof(theirs));
    ours.count = sg_unwind(ours.frames, FRAMES, NULL);
    if (is_compared)
        _Unwind_Backtrace(see, &theirs);
    __asm__ volatile("" ::: "memory");
}

/* `body` keeps rbx and rbp on the stack, says so in its own words, and calls look_from_here(). */
#define FORM(name_, body_) FORM_AROUND(name_, body_, look_from_here)
#define FORM_AROUND(name_, body_, inner_)                                                          \
    void name_(void);                                                                              \
    __asm__(".text\n.type " #name_ ", @function\n" #name_ ":\n.cfi_startproc\n"                    \
            "push %rbp\n.cfi_adjust_cfa_offset 8\npush %rbx\n.cfi_adjust_cfa_offset 8\n"           \
            "sub $8, %rsp\n.cfi_adjust_cfa_offset 8\n" body_ "\ncall " #inner_ "\n"                \
            "add $8, %rsp\n.cfi_def_cfa 7, 24\npop %rbx\n.cfi_restore 3\n.cfi_def_cfa 7, 16\n"     \
            "pop %rbp\n.cfi_restore 6\n.cfi_def_cfa 7, 8\nret\n.cfi_endproc\n.size " #name_        \
            ", . - " #name_ "\n")

#define SAVED ".cfi_offset 6, -16\n.cfi_offset 3, -24\n"

/* The frame's address from rbx; from rbp; far from it. */
FORM(form_rbx, SAVED "lea 32(%rsp), %rbx\n.cfi_def_cfa 3, 0");
FORM(form_rbp, SAVED "mov %rsp, %rbp\n.cfi_def_cfa 6, 32");
FORM(form_odd, SAVED "lea 29(%rsp), %rbx\n.cfi_def_cfa 3, 3");
FORM(form_far, SAVED "lea -600000(%rsp), %rbx\n.cfi_def_cfa 3, 600032");

/* From a register that nobody follows: there libgcc alone goes on. */
FORM(form_r12, SAVED "lea 32(%rsp), %r12\n.cfi_def_cfa 12, 0");

/* Registers in each other's places, and where an expression says. rbx and rbp keep their values,
 * so each may be said to be anywhere that holds them. */
FORM(form_same, ".cfi_same_value 6\n.cfi_same_value 3");
FORM(form_unknown, ".cfi_undefined 3\n.cfi_offset 6, -16");
/* rbp: in memory at CFA - 16, as DW_CFA_expression {breg7 16}; rbx: {breg7 8, deref} as a value */
FORM(form_expressions, ".cfi_escape 0x10,6,2,0x77,16\n.cfi_escape 0x16,3,3,0x77,8,0x06");
/* the same, computed in more than one step from the CFA that is on the stack of values */
FORM(form_computed, ".cfi_escape 0x10,6,3,0x09,0xf0,0x22\n.cfi_escape 0x16,3,4,0x38,0x1c,0x48,0x1c"
                    "\n.cfi_offset 3, -24");
/* DW_CFA_def_cfa_expression {breg7 32}; {breg7 0, lit16, lit16, plus, plus} */
FORM(form_cfa_simple, SAVED ".cfi_escape 0x0f,2,0x77,32");
FORM(form_cfa_computed, SAVED ".cfi_escape 0x0f,6,0x77,0,0x40,0x40,0x22,0x22");
/* {breg7 0, deref}: the word at the top of the stack holds it */
FORM(form_cfa_memory, SAVED "lea 32(%rsp), %rax\nmov %rax, (%rsp)\n.cfi_escape 0x0f,3,0x77,0,0x06");
/* rbp is CFA - 0x..: as a value that the frame had anyway */
FORM(form_cfa_value, ".cfi_offset 6, -16\n.cfi_offset 3, -24\n.cfi_escape 0x14,3,0");

/* The same with the address of the word in rbp, as compilers do it where they align a stack. */
FORM(form_cfa_frame, SAVED "lea 32(%rsp), %rax\nmov %rax, (%rsp)\nmov %rsp, %rbp\n"
                           ".cfi_escape 0x0f,3,0x76,0,0x06");
/* Where rbp points to, both registers lie: DW_CFA_expression {breg6 16} and {breg6 8} */
FORM(form_frame_memory, "mov %rsp, %rbp\n.cfi_def_cfa 6, 32\n.cfi_escape 0x10,6,2,0x76,16\n"
                        ".cfi_escape 0x10,3,2,0x76,8");

/* The frame around is found by rbx, which the inner one says only as the value of an expression,
 * {lit24, minus, deref} with the CFA on the stack of values; and the same by rbp, {lit16 ...}. */
FORM(inner_value, ".cfi_offset 6, -16\n.cfi_escape 0x16,3,3,0x48,0x1c,0x06\nxor %ebx, %ebx");
FORM(inner_values, ".cfi_offset 3, -24\n.cfi_escape 0x16,6,3,0x40,0x1c,0x06\nxor %ebp, %ebp");
FORM_AROUND(form_around_value, SAVED "lea 32(%rsp), %rbx\n.cfi_def_cfa 3, 0", inner_value);
FORM_AROUND(form_around_values, SAVED "mov %rsp, %rbp\n.cfi_def_cfa 6, 32", inner_values);

/* Where rbp is cannot be told, since an instruction is none: 0xff; or since nothing is there: at 0,
 * {lit0}. libgcc would end the program. rbx, by which the frame around is found, is told. */
FORM(inner_nonsense, ".cfi_offset 3, -24\n.cfi_escape 0x10,6,1,0xff");
FORM(inner_nowhere, ".cfi_offset 3, -24\n.cfi_escape 0x10,6,2,0x30,0x30");
FORM_AROUND(form_around_nonsense, SAVED "lea 32(%rsp), %rbx\n.cfi_def_cfa 3, 0", inner_nonsense);
FORM_AROUND(form_around_nowhere, SAVED "lea 32(%rsp), %rbx\n.cfi_def_cfa 3, 0", inner_nowhere);
/* And now by the rbp that is not known. */
FORM_AROUND(form_lost, SAVED "mov %rsp, %rbp\n.cfi_def_cfa 6, 32", inner_nonsense);

static __attribute__((noinline)) void through(void (*form)(void))
{
    form();
    __asm__ volatile("" ::: "memory", "r12"); /* one form uses it: it is kept here */
}

static void expect_same(const char *name)
{
    bool is_same = ours.count == theirs.count && ours.count >= 4;

    for (size_t i = 1; i < ours.count && i < theirs.count; i++)
        is_same &= ours.frames[i] == theirs.frames[i];
    if (!is_same)
        printf("# %s: %zu frames, libgcc has %zu\n", name, ours.count, theirs.count);
    EXPECT(is_same);
}

#define EXPECT_SAME(form)                                                                          \
    do {                                                                                           \
        for (int round_ = 0; round_ < 2; round_++) { /* the second out of the cache */             \
            through(form);                                                                         \
            expect_same(#form);                                                                    \
        }                                                                                          \
    } while (0)

TEST(the_address_of_a_frame_comes_from_any_register)
{
    EXPECT_SAME(form_rbx);
    EXPECT_SAME(form_rbp);
    EXPECT_SAME(form_odd);
    EXPECT_SAME(form_far);
}

TEST(the_address_of_a_frame_is_an_expression)
{
    EXPECT_SAME(form_cfa_simple);
    EXPECT_SAME(form_cfa_computed);
    EXPECT_SAME(form_cfa_memory);
    EXPECT_SAME(form_cfa_frame);
}

TEST(saved_registers_are_where_the_tables_say)
{
    EXPECT_SAME(form_same);
    EXPECT_SAME(form_unknown);
    EXPECT_SAME(form_expressions);
    EXPECT_SAME(form_computed);
    EXPECT_SAME(form_cfa_value);
    EXPECT_SAME(form_frame_memory);
    EXPECT_SAME(form_around_value);
    EXPECT_SAME(form_around_values);
}

/* What is not followed is not guessed: the walk has the frame itself, and may go on by frame
 * pointers, but never beyond what libgcc finds. */
TEST(a_register_that_is_not_followed_ends_the_walk_by_tables)
{
    through(form_r12);
    EXPECT(ours.count >= 2 && ours.count <= theirs.count);
    EXPECT_EQUAL(ours.frames[1], theirs.frames[1]);
}

/* As many frames as without the inner one; those around this function are the same. */
static void expect_rest(void (*form)(void))
{
    struct seen straight;

    through(form_rbx);
    straight = ours;
    is_compared = false;
    for (int round = 0; round < 2; round++) {
        through(form);
        EXPECT_EQUAL(ours.count, straight.count + 1);
        for (size_t i = 5; i < ours.count && i <= straight.count; i++)
            EXPECT_EQUAL(ours.frames[i], straight.frames[i - 1]);
    }
    is_compared = true;
}

TEST(a_register_that_nobody_can_tell_is_missed_only_where_it_is_needed)
{
    expect_rest(form_around_nonsense);
    expect_rest(form_around_nowhere);
    is_compared = false;
    for (int round = 0; round < 2; round++) {
        through(form_lost);
        EXPECT_EQUAL(ours.count, 3); /* look_from_here, inner_nonsense, form_lost */
    }
    is_compared = true;
}
