/* What counts as reachable, in a process of one thread. */
#include "program.h"

#include "../unit/test.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static void *global;
static void *initialised[2] = {&initialised, NULL};
static __thread void *local;

TEST(a_block_that_nothing_points_to_leaks)
{
    double_reset();
    make_hidden(24, 1);
    EXPECT_EQUAL(leaked_bytes(), 24);
}

TEST(no_block_is_no_leak)
{
    double_reset();
    EXPECT(!double_find(NULL)->found);
    EXPECT(double_find(NULL)->why == NULL);
}

TEST(data_of_the_program_keeps_a_block)
{
    double_reset();
    hidden block = make_hidden(24, 1);
    hidden other = make_hidden(40, 1);

    store_at(&global, block);
    store_at(&initialised[1], other);
    EXPECT_EQUAL(leaked_bytes(), 0);
    EXPECT_EQUAL(double_find(NULL)->bug.reachable_bytes, 64);
    EXPECT_EQUAL(double_find(NULL)->bug.reachable_blocks, 2);
    global = initialised[1] = NULL;
    EXPECT_EQUAL(leaked_bytes(), 64);
}

TEST(a_pointer_into_a_block_or_just_past_it_keeps_it)
{
    double_reset();
    hidden block = make_hidden(24, 1);

    for (uintptr_t offset = 0; offset <= 24; offset++) {
        store_at(&global, block - offset);
        EXPECT_EQUAL(leaked_bytes(), 0);
    }
    store_at(&global, block - 25);
    EXPECT_EQUAL(leaked_bytes(), 24);
    store_at(&global, block + 1);
    EXPECT_EQUAL(leaked_bytes(), 24);
    global = NULL;
}

TEST(a_word_that_is_not_aligned_is_no_pointer)
{
    static char bytes[32] __attribute__((aligned(16)));

    double_reset();
    hidden block = make_hidden(24, 1);

    store_at(bytes + 4, block);
    EXPECT_EQUAL(leaked_bytes(), 24);
    memset(bytes, 0, sizeof(bytes));
}

TEST(the_stack_and_thread_local_storage_keep_a_block)
{
    void *volatile automatic = NULL;

    double_reset();
    hidden block = make_hidden(24, 1);

    EXPECT_EQUAL(leaked_bytes(), 24);
    store_at((void *)&automatic, block);
    EXPECT_EQUAL(leaked_bytes(), 0);
    automatic = NULL;
    store_at(&local, block);
    EXPECT_EQUAL(leaked_bytes(), 0);
    local = NULL;
    EXPECT_EQUAL(leaked_bytes(), 24);
}

#if defined(__x86_64__)
/* double_find() with the pointer in a register that functions keep, and nowhere else. */
static __attribute__((noinline)) const struct double_result *find_with_register(hidden block)
{
    const struct double_result *result;

    __asm__ volatile("mov %[block], %%r13\n\tnot %%r13\n\txor %%edi, %%edi\n\t"
                     "mov %%rsp, %%r12\n\tsub $128, %%rsp\n\tand $-16, %%rsp\n\t"
                     "call double_find@PLT\n\tmov %%r12, %%rsp\n\txor %%r13d, %%r13d"
                     : "=a"(result)
                     : [block] "r"(block)
                     : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
                       "memory");
    return result;
}

TEST(a_register_of_the_caller_keeps_a_block)
{
    double_reset();
    hidden block = make_hidden(24, 1);

    EXPECT_EQUAL(find_with_register(block)->bug.leak_bytes, 0);
    EXPECT_EQUAL(find_with_register(~(hidden)0)->bug.leak_bytes, 24);
}
#endif

TEST(blocks_are_reached_through_blocks)
{
    hidden blocks[10];

    double_reset();
    for (int i = 0; i < 10; i++)
        blocks[i] = make_hidden(208, 1);
    for (int i = 0; i < 9; i++)
        store_into(blocks[i], 8, blocks[i + 1]);
    forget();
    store_at(&global, blocks[0]);
    EXPECT_EQUAL(leaked_bytes(), 0);
    store_at(&global, blocks[5]);
    EXPECT_EQUAL(leaked_bytes(), 5 * 208);
    global = NULL;
    EXPECT_EQUAL(leaked_bytes(), 2080);
    EXPECT_EQUAL(double_find(NULL)->bug.leak_blocks, 10);
    EXPECT_EQUAL(double_find(NULL)->bug.leak_places, 1);
    EXPECT(!double_find(NULL)->bug.leaks[0].is_indirect);
}

TEST(what_is_reached_from_a_leak_only_is_indirect)
{
    double_reset();
    hidden payload = make_hidden(500, 2);
    hidden head = make_hidden(32, 1);

    store_into(head, 0, payload);
    forget();
    const struct bug *bug = &double_find(NULL)->bug;
    EXPECT_EQUAL(bug->leak_count, 2);
    EXPECT_EQUAL(bug->leaks[0].bytes, 500);
    EXPECT(bug->leaks[0].is_indirect);
    EXPECT_EQUAL(bug->leaks[1].bytes, 32);
    EXPECT(!bug->leaks[1].is_indirect);
}

TEST(a_ring_that_nothing_points_to_leaks_and_has_a_leader)
{
    double_reset();
    hidden first = make_hidden(32, 1), second = make_hidden(48, 2);

    store_into(first, 0, second);
    store_into(second, 0, first);
    forget();
    const struct bug *bug = &double_find(NULL)->bug;
    EXPECT_EQUAL(bug->leak_bytes, 80);
    EXPECT_EQUAL(bug->leaks[0].is_indirect + bug->leaks[1].is_indirect, 1);
}

TEST(a_block_of_no_bytes_is_kept_by_its_address)
{
    double_reset();
    hidden block = make_hidden(0, 1);

    store_at(&global, block);
    EXPECT_EQUAL(double_find(NULL)->bug.leak_blocks, 0);
    global = NULL;
    EXPECT_EQUAL(double_find(NULL)->bug.leak_blocks, 1);
    EXPECT(double_find(NULL)->found);
}

TEST(a_block_in_somebodys_hands_is_no_leak_and_keeps_others)
{
    double_reset();
    hidden held = make_hidden(64, 1), other = make_hidden(24, 1);

    store_into(held, 0, other);
    double_set_busy(held);
    forget();
    EXPECT_EQUAL(leaked_bytes(), 0);
    EXPECT_EQUAL(double_find(NULL)->bug.reachable_blocks, 1);
}

TEST(pages_without_access_inside_a_block_are_passed_over)
{
    double_reset();
    hidden block = make_hidden(16 * 4096, 1), other = make_hidden(24, 1);
    char *page = (char *)(((uintptr_t)seen(block) + 8191) & ~(uintptr_t)4095);

    store_into(block, 15 * 4096, other);
    store_at(&global, block);
    EXPECT(mprotect(page, 8192, PROT_NONE) == 0);
    forget();
    EXPECT_EQUAL(leaked_bytes(), 0);
    EXPECT(mprotect(page, 8192, PROT_READ | PROT_WRITE) == 0);
    global = NULL;
}

/* Between pages without access, so that the kernel joins it to nothing. */
static __attribute__((noinline)) hidden map_apart(size_t bytes)
{
    char *mapping = mmap(NULL, bytes + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    EXPECT(mprotect(mapping + 4096, bytes, PROT_READ | PROT_WRITE) == 0);
    return hide(mapping + 4096);
}

TEST(a_mapping_of_the_program_is_read_if_something_points_to_it)
{
    double_reset();
    hidden place = map_apart(65536);
    hidden block = make_hidden(24, 1);

    store_into(place, 0, block);
    EXPECT_EQUAL(leaked_bytes(), 24);
    store_at(&global, place - 512);
    EXPECT_EQUAL(leaked_bytes(), 0);
    global = NULL;
    forget();
    EXPECT_EQUAL(leaked_bytes(), 24);
    munmap(seen(place), 65536);
}

TEST(a_shared_mapping_of_the_program_is_read_too)
{
    void *mapping = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    EXPECT(mapping != MAP_FAILED);
    double_reset();
    hidden block = make_hidden(24, 1);

    store_at((char *)mapping + 512, block);
    global = mapping;
    EXPECT_EQUAL(leaked_bytes(), 0);
    munmap(mapping, 8192);
    global = mapping = NULL;
    EXPECT_EQUAL(leaked_bytes(), 24);
}

TEST(records_of_blocks_are_no_pointers_to_them)
{
    double_reset();
    for (int i = 0; i < 1000; i++)
        make_hidden(24, 1);
    global = double_records();
    EXPECT_EQUAL(leaked_bytes(), 24000);
    global = NULL;
}

TEST(memory_that_was_never_touched_costs_nothing)
{
    size_t bytes = (size_t)256 << 30;
    void *mapping = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    EXPECT(mapping != MAP_FAILED);
    double_reset();
    hidden block = make_hidden(24, 1);

    store_at((char *)mapping + bytes - 64, block);
    global = mapping;
    EXPECT_EQUAL(leaked_bytes(), 0);
    munmap(mapping, bytes);
    global = mapping = NULL;
    EXPECT_EQUAL(leaked_bytes(), 24);
}

TEST(data_of_a_library_opened_later_keeps_a_block)
{
    void *library = dlopen(getenv("LEAK_MODULE"), RTLD_NOW | RTLD_LOCAL);

    EXPECT(library != NULL);
    if (library == NULL)
        return;
    void **data = dlsym(library, "module_data"), **zeroes = dlsym(library, "module_zeroes");
    void **(*storage)(void) = (void **(*)(void))dlsym(library, "module_storage");

    double_reset();
    hidden block = make_hidden(24, 1);

    void **places[] = {data, zeroes, storage()};
    for (int i = 0; i < 3; i++) {
        store_at(places[i], block);
        EXPECT_EQUAL(leaked_bytes(), 0);
        *places[i] = NULL;
        EXPECT_EQUAL(leaked_bytes(), 24);
    }
    dlclose(library);
}

TEST(what_the_loader_made_is_reachable)
{
    double_reset();
    double_set_frame(1001, (uintptr_t)dlsym(RTLD_DEFAULT, "__tls_get_addr"));
    hidden block = make_hidden(24, 1001), other = make_hidden(40, 1);

    store_into(block, 0, other);
    forget();
    EXPECT_EQUAL(leaked_bytes(), 0);
}

static volatile uint64_t leaked_in_handler;

static void on_signal(int number)
{
    (void)number;
    leaked_in_handler = leaked_bytes();
}

TEST(in_a_signal_handler_on_a_stack_of_its_own_the_interrupted_stack_counts)
{
    static char alternate[262144];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    void *volatile automatic = NULL;

    double_reset();
    hidden block = make_hidden(24, 1);

    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    store_at((void *)&automatic, block);
    raise(SIGUSR1);
    EXPECT_EQUAL(leaked_in_handler, 0);
    automatic = NULL;
    raise(SIGUSR1);
    EXPECT_EQUAL(leaked_in_handler, 24);
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
}

static ucontext_t outside, inside;
static volatile hidden coroutine_block;
static volatile uint64_t leaked_in_coroutine;

static void run_coroutine(void)
{
    void *volatile automatic = NULL;

    store_at((void *)&automatic, coroutine_block);
    memset(&inside, 0, sizeof(inside));
    leaked_in_coroutine = leaked_bytes();
    automatic = NULL;
}

TEST(a_stack_in_a_block_is_read_while_it_is_run_on)
{
    double_reset();
    hidden stack = make_hidden(262144, 2);

    coroutine_block = make_hidden(24, 1);
    getcontext(&inside);
    store_at(&inside.uc_stack.ss_sp, stack);
    inside.uc_stack.ss_size = 262144;
    inside.uc_link = &outside;
    makecontext(&inside, run_coroutine, 0);
    swapcontext(&outside, &inside);
    EXPECT_EQUAL(leaked_in_coroutine, 0);
    memset(&inside, 0, sizeof(inside));
    memset(&outside, 0, sizeof(outside));
    clear_hidden(stack, 262144);
    EXPECT_EQUAL(leaked_bytes(), 262144 + 24);
}
