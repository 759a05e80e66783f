/* The walk against the compiler's own unwinder, on this program's frames and on nonsense. */
#include "test.h"
#include "unwind.h"
#include "unwind_expression.h"

#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

/* Of libgcc's <unwind.h>, whose name is also that of our header. */
struct _Unwind_Context;
int _Unwind_Backtrace(int (*see)(struct _Unwind_Context *, void *), void *opaque);
uintptr_t _Unwind_GetIP(struct _Unwind_Context *context);

enum { GO_ON = 0, END_OF_STACK = 5 };

#define FRAMES 64

#define KEEP_FRAME __asm__ volatile("" ::: "memory") /* no tail call */

struct seen {
    uintptr_t frames[FRAMES];
    size_t count;
};

static struct seen ours, theirs;

static int see(struct _Unwind_Context *context, void *opaque)
{
    struct seen *seen = opaque;
    uintptr_t pc = _Unwind_GetIP(context);

    if (pc == 0 || seen->count == FRAMES)
        return END_OF_STACK;
    seen->frames[seen->count++] = pc;
    return GO_ON;
}

/* Both walks from one frame: all but the first address have to be the same. */
static __attribute__((noinline)) void look(void)
{
    memset(&ours, 0, sizeof(ours));
    memset(&theirs, 0, sizeof(theirs));
    ours.count = sg_unwind(ours.frames, FRAMES, NULL);
    _Unwind_Backtrace(see, &theirs);
    KEEP_FRAME;
}

static void expect_same_walk(size_t least)
{
    EXPECT(ours.count >= least);
    EXPECT_EQUAL(ours.count, theirs.count);
    for (size_t i = 1; i < ours.count && i < theirs.count; i++)
        EXPECT_EQUAL(ours.frames[i], theirs.frames[i]);
}

static __attribute__((noinline, noipa)) int recurse(int depth)
{
    volatile char frame[40];

    frame[depth % 40] = (char)depth;
    if (depth == 0)
        look();
    else
        frame[1] = (char)recurse(depth - 1);
    KEEP_FRAME;
    return frame[depth % 40];
}

TEST(the_first_frame_is_the_caller)
{
    uintptr_t frames[2] = {0};

    EXPECT_EQUAL(sg_unwind(frames, 2, NULL), 2);
    EXPECT(frames[0] > (uintptr_t)the_first_frame_is_the_caller);
    EXPECT(frames[0] < (uintptr_t)the_first_frame_is_the_caller + 400);
    EXPECT_EQUAL(sg_unwind(frames, 0, NULL), 0);
}

TEST(recursion_is_walked_to_the_outermost_frame)
{
    recurse(20);
    expect_same_walk(20 + 4);
    recurse(20); /* and again, out of the cache */
    expect_same_walk(20 + 4);
}

TEST(a_walk_ends_at_its_limit)
{
    uintptr_t frames[3] = {0, 0, 7};

    EXPECT_EQUAL(sg_unwind(frames, 2, NULL), 2);
    EXPECT_EQUAL(frames[2], 7);
}

/* The frame's size is not known to the compiler: its address comes from rbp. */
static __attribute__((noinline, noipa)) int with_alloca(size_t bytes)
{
    volatile char *memory = __builtin_alloca(bytes);

    memory[bytes - 1] = 1;
    recurse(2);
    return memory[bytes - 1];
}

/* The stack is realigned: its address is an expression. */
static __attribute__((noinline, noipa)) int with_alignment(size_t bytes)
{
    volatile char aligned[128] __attribute__((aligned(128)));
    volatile char *memory = __builtin_alloca(bytes);

    aligned[bytes % 128] = 3;
    memory[bytes - 1] = 1;
    recurse(3);
    return aligned[bytes % 128] + memory[bytes - 1];
}

static __attribute__((noinline, noipa, optimize("no-omit-frame-pointer"))) int with_pointer(int n)
{
    recurse(n);
    KEEP_FRAME;
    return n + 1;
}

TEST(frames_of_every_form_are_walked)
{
    for (int i = 0; i < 3; i++) {
        with_alloca(100 + 4000 * i);
        expect_same_walk(6);
        with_alignment(60 + 3000 * i);
        expect_same_walk(7);
        with_pointer(3);
        expect_same_walk(7);
    }
}

static int compare(const void *left, const void *right)
{
    recurse(1);
    return *(const int *)left - *(const int *)right;
}

TEST(frames_of_libc_are_walked)
{
    int numbers[] = {3, 1, 2};

    qsort(numbers, 3, sizeof(numbers[0]), compare);
    expect_same_walk(6);
}

static void on_signal(int number)
{
    (void)number;
    recurse(2);
}

static __attribute__((noinline, noipa)) int raises(void)
{
    raise(SIGUSR1);
    KEEP_FRAME;
    return 1;
}

static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    sigaction(number, &action, NULL);
}

TEST(a_walk_out_of_a_signal_handler_reaches_what_it_interrupted)
{
    handle(SIGUSR1, on_signal, 0);
    raises();
    expect_same_walk(8);
}

TEST(so_does_one_from_a_stack_of_its_own)
{
    static char memory[64 * 1024];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)};

    sigaltstack(&stack, NULL);
    handle(SIGUSR1, on_signal, SA_ONSTACK);
    raises();
    expect_same_walk(8);
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
}

static sigjmp_buf back;
static uintptr_t faulting_pc;
static bool can_compare; /* libgcc's walk itself faults at a pc that cannot be read */

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    memset(&ours, 0, sizeof(ours));
    ours.count = sg_unwind(ours.frames, FRAMES, context);
    memset(&theirs, 0, sizeof(theirs));
    if (can_compare)
        _Unwind_Backtrace(see, &theirs);
    faulting_pc = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    siglongjmp(back, 1);
}

static __attribute__((noinline, noipa)) int touch(volatile int *address)
{
    return *address;
}

static void expect_rest_of_walk(uintptr_t first)
{
    size_t skip = 0;

    while (skip < theirs.count && theirs.frames[skip] != first)
        skip++;
    EXPECT(ours.count >= 4);
    EXPECT_EQUAL(ours.count, theirs.count - skip);
    for (size_t i = 0; i < ours.count && skip + i < theirs.count; i++)
        EXPECT_EQUAL(ours.frames[i], theirs.frames[skip + i]);
}

static void handle_faults(bool compare_walks)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

    can_compare = compare_walks;
    sigaction(SIGSEGV, &action, NULL);
}

TEST(a_fault_is_walked_from_its_instruction)
{
    handle_faults(true);
    if (sigsetjmp(back, 1) == 0)
        touch((volatile int *)16);
    EXPECT_EQUAL(ours.frames[0], faulting_pc);
    expect_rest_of_walk(faulting_pc);
    signal(SIGSEGV, SIG_DFL);
}

TEST(a_call_to_nowhere_is_walked_from_its_caller)
{
    void (*volatile nowhere)(void) = (void (*)(void))0x10;

    handle_faults(false);
    if (sigsetjmp(back, 1) == 0)
        nowhere();
    EXPECT_EQUAL(ours.frames[0], 0x10);
    EXPECT(ours.count >= 4);
    EXPECT(ours.frames[1] - (uintptr_t)a_call_to_nowhere_is_walked_from_its_caller < 600);
    signal(SIGSEGV, SIG_DFL);
}

static void *in_thread(void *unused)
{
    recurse(5);
    return unused;
}

TEST(a_thread_is_walked_to_its_start)
{
    pthread_t thread;

    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);
    expect_same_walk(7);
}

static uint64_t state = 88172645463325252u;

static uint64_t any(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* An address that may be mistaken for a frame: in this stack, in code, in the gap beside. */
static uintptr_t any_address(void)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    switch (any() % 6) {
    case 0:
        return here + any() % 65536;
    case 1:
        return (here + any() % 65536) & ~(uintptr_t)15;
    case 2:
        return (uintptr_t)look + any() % 4096;
    case 3:
        return (uintptr_t)qsort + any() % 65536;
    case 4:
        return any() % 65536;
    default:
        return any();
    }
}

TEST(nonsense_in_the_registers_ends_the_walk)
{
    uintptr_t frames[FRAMES];
    size_t longest = 0;
    ucontext_t context = {0};

    for (int i = 0; i < 200000; i++) {
        for (int which = 0; which < 17; which++)
            context.uc_mcontext.gregs[which] = (greg_t)any_address();

        size_t count = sg_unwind(frames, FRAMES, &context);
        longest = count > longest ? count : longest;
        if (count == 0 || count > FRAMES)
            test_failed(__FILE__, __LINE__, "a count within the limit");
    }
    EXPECT(longest > 2); /* else nothing was tried */
}

#define NONSENSE_WORDS (3 * 4096 / sizeof(uintptr_t))

/* A stack full of addresses, with nothing mapped behind it. */
TEST(nonsense_on_the_stack_ends_the_walk)
{
    uintptr_t frames[FRAMES];
    size_t bytes = NONSENSE_WORDS * sizeof(uintptr_t);
    char *memory = mmap(NULL, bytes + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t longest = 0;
    ucontext_t context = {0};

    EXPECT(mprotect(memory, bytes, PROT_READ | PROT_WRITE) == 0);
    for (int i = 0; i < 3000; i++) {
        uintptr_t *words = (uintptr_t *)memory;

        for (size_t word = 0; word < NONSENSE_WORDS; word++)
            words[word] = any() % 2 ? any_address() : (uintptr_t)memory + any() % bytes / 8 * 8;
        for (size_t start = 0; start < 10; start++) {
            context.uc_mcontext.gregs[REG_RSP] = (greg_t)(memory + any() % bytes / 8 * 8);
            context.uc_mcontext.gregs[REG_RBP] = (greg_t)(memory + any() % bytes / 8 * 8);
            context.uc_mcontext.gregs[REG_RIP] = (greg_t)any_address();
            size_t count = sg_unwind(frames, FRAMES, &context);
            longest = count > longest ? count : longest;
        }
    }
    EXPECT(longest > 4);
    munmap(memory, bytes + 4096);
}

/* Tables with bytes changed: a copy of this program's own, in a module that does not exist. */
static void damage(uint8_t *copy, const uint8_t *original, size_t bytes)
{
    memcpy(copy, original, bytes);
    for (uint64_t count = 1 + any() % 200; count > 0; count--)
        copy[any() % (bytes < 8192 ? bytes : 8192)] = (uint8_t)any();
}

int main(void);

/* Looks the rules of some functions up in the copy; how many were found. */
static size_t look_up_all(const struct module *module, const uint8_t *original)
{
    static const void *const functions[] = {look, recurse, with_alloca, with_alignment, main};
    struct rule rule;
    size_t found = 0;

    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        uintptr_t away = (uintptr_t)functions[i] - (uintptr_t)original;

        found += sg_rule_find(module, (uintptr_t)module->eh_index + away + any() % 40, &rule);
    }
    return found;
}

TEST(damaged_tables_are_read_within_their_bounds)
{
    struct module module;
    size_t found = 0, bytes;
    uint8_t *pages, *copy;

    EXPECT(sg_module_of((uintptr_t)look, &module));
    bytes = module.end - (uintptr_t)module.eh_index;
    pages = mmap(NULL, bytes + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(mprotect(pages, (bytes + 4095) / 4096 * 4096, PROT_READ | PROT_WRITE) == 0);
    copy = pages + -bytes % 4096; /* it ends where nothing is mapped */
    for (int i = 0; i < 20000; i++) {
        struct module broken = {(uintptr_t)copy, (uintptr_t)copy + bytes, copy, "", NULL};

        damage(copy, module.eh_index, bytes);
        memcpy(copy, module.eh_index, 12); /* or nothing is looked up at all */
        found += look_up_all(&broken, module.eh_index);
    }
    EXPECT(found > 10000);
    EXPECT(found < 100000);
    munmap(pages, bytes + 8192);
}

TEST(a_place_is_a_module_and_an_offset)
{
    struct place here, libc, nowhere;

    EXPECT(sg_unwind_place((uintptr_t)look, &here));
    EXPECT(here.is_own);
    EXPECT(here.is_main);
    EXPECT(strcmp(here.module, "unwind_test") == 0);
    EXPECT(here.offset < 1 << 24);
    EXPECT(sg_unwind_place((uintptr_t)_Unwind_Backtrace, &libc));
    EXPECT(!libc.is_own);
    EXPECT(!libc.is_main);
    EXPECT(strcmp(libc.module, "libgcc_s.so.1") == 0);
    EXPECT(!sg_unwind_place((uintptr_t)&here, &nowhere));
    EXPECT(!sg_unwind_place(0, &nowhere));
}

/* A frame that says it was called by itself. */
TEST(a_ring_of_frames_ends_the_walk)
{
    static uintptr_t stack[64];
    uintptr_t frames[FRAMES], inside;
    ucontext_t context = {0};

    with_pointer(0);
    inside = ours.frames[2]; /* look, recurse, with_pointer */
    stack[32] = (uintptr_t)&stack[32];
    stack[33] = inside;
    context.uc_mcontext.gregs[REG_RSP] = (greg_t)&stack[8];
    context.uc_mcontext.gregs[REG_RBP] = (greg_t)&stack[32];
    context.uc_mcontext.gregs[REG_RIP] = (greg_t)inside;
    EXPECT_EQUAL(sg_unwind(frames, FRAMES, &context), 2);
    EXPECT_EQUAL(frames[1], inside);
}

/* One byte of code for each row; the last row is that of an entry in a table of jumps. */
void by_hand(void);
__asm__(".text\n"
        ".type by_hand, @function\n"
        "by_hand:\n"
        ".cfi_startproc\n"
        "nop\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset 3, -16\n"
        "nop\n"
        ".cfi_remember_state\n"
        ".cfi_restore 3\n"
        ".cfi_def_cfa 6, 24\n"
        "nop\n"
        ".cfi_restore_state\n"
        "nop\n"
        ".cfi_escape 0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22\n"
        "nop\n"
        ".cfi_endproc\n"
        ".size by_hand, .-by_hand\n");

static struct rule rule_at(int row)
{
    struct module module;
    struct rule rule = {0};

    EXPECT(sg_module_of((uintptr_t)by_hand, &module));
    EXPECT(sg_rule_find(&module, (uintptr_t)by_hand + (uintptr_t)row, &rule));
    return rule;
}

TEST(each_row_of_a_table_has_its_rule)
{
    struct rule rules[] = {rule_at(0), rule_at(1), rule_at(2), rule_at(3)};

    EXPECT_EQUAL(rules[0].cfa.number, 8);
    EXPECT_EQUAL(rules[0].followed[FOLLOW_RBX].how, HOW_SAME);
    EXPECT_EQUAL(rules[1].cfa.number, 16);
    EXPECT_EQUAL(rules[1].followed[FOLLOW_RBX].how, HOW_CFA);
    EXPECT_EQUAL(rules[1].followed[FOLLOW_RBX].number, -16);
    EXPECT_EQUAL(rules[2].cfa.base, REGISTER_FRAME);
    EXPECT_EQUAL(rules[2].cfa.number, 24);
    EXPECT_EQUAL(rules[2].followed[FOLLOW_RBX].how, HOW_SAME);
    EXPECT_EQUAL(rules[3].cfa.base, REGISTER_STACK);
    EXPECT_EQUAL(rules[3].cfa.number, 16);
    EXPECT_EQUAL(rules[3].followed[FOLLOW_RBX].how, HOW_CFA);
}

/* From the eleventh byte of an entry on, one more word lies on the stack. */
TEST(an_entry_of_a_jump_table_has_a_computed_frame)
{
    struct rule rule = rule_at(4);
    struct registers registers = {.known = 0};
    struct stack_memory memory = {.low = 0, .known = 1};
    struct expression_input input = {&registers, &memory, 0, false};
    uintptr_t value = 0;

    EXPECT_EQUAL(rule.cfa.how, HOW_EXPRESSION_VALUE);
    EXPECT(!sg_expression_value(&rule.cfa, &input, &value)); /* no register is known */
    registers_set(&registers, REGISTER_STACK, 0x7000);
    registers_set(&registers, REGISTER_PC, 0x1006);
    EXPECT(sg_expression_value(&rule.cfa, &input, &value));
    EXPECT_EQUAL(value, 0x7008);
    registers_set(&registers, REGISTER_PC, 0x100b);
    EXPECT(sg_expression_value(&rule.cfa, &input, &value));
    EXPECT_EQUAL(value, 0x7010);
}

/* Loads a copy of libgcc under a name that would spoil a terminal, or a line. */
static void load_as(const char *folder, const char *name)
{
    char path[200], command[600];
    struct place place;
    Dl_info info;
    void *module;

    EXPECT(dladdr((void *)_Unwind_Backtrace, &info) != 0);
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    snprintf(command, sizeof(command), "cp '%s' '%s'", info.dli_fname, path);
    EXPECT(system(command) == 0);
    module = dlopen(path, RTLD_NOW);
    EXPECT(module != NULL);
    if (module != NULL) {
        EXPECT(sg_unwind_place((uintptr_t)dlsym(module, "_Unwind_Backtrace"), &place));
        EXPECT(strcmp(place.module, "a?b??c.so") == 0);
        dlclose(module);
    }
    unlink(path);
}

TEST(a_name_is_made_printable)
{
    char folder[] = P_tmpdir "/unwind_test.XXXXXX";

    EXPECT(mkdtemp(folder) != NULL);
    load_as(folder, "a\nb \033c.so");
    EXPECT(rmdir(folder) == 0);
}
