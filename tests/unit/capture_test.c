/* Captures against fresh walks: whatever a thread does to its stacks, each capture is the number of
 * the stack that sg_unwind() finds at that moment. */
#include "test.h"

#include "capture_frames.h"
#include "capture_thread.h"
#include "unwind.h"

#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static uint64_t hits(void)
{
    struct capture_thread *thread = capture_enter((uintptr_t)__builtin_frame_address(0));
    uint64_t count;

    if (thread == NULL)
        return 0;
    count = thread->hits;
    capture_leave(thread);
    return count;
}

static void expect_exact(const struct tour *tour, uint64_t least)
{
    EXPECT_EQUAL(tour->wrong, 0);
    EXPECT(tour->captures >= least);
}

TEST(a_million_captures_of_changing_stacks_are_exact)
{
    struct tour tour = {.random = 20};
    uint64_t before = hits();

    tour_wander(&tour, 1000000);
    expect_exact(&tour, 1000000);
    printf("# %llu captures, %llu of them not walked\n", (unsigned long long)tour.captures,
           (unsigned long long)(hits() - before));
    EXPECT(hits() - before > tour.captures / 10); /* else nothing was tried */
    EXPECT(hits() - before < tour.captures * 9 / 10);
}

static void *in_thread(void *seed)
{
    struct tour *tour = seed;

    tour_wander(tour, 50000);
    return NULL;
}

TEST(captures_in_threads_are_exact)
{
    struct tour tours[4] = {{.random = 1}, {.random = 2}, {.random = 3}, {.random = 4}};
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        EXPECT(pthread_create(&threads[i], NULL, in_thread, &tours[i]) == 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        expect_exact(&tours[i], 50000);
    }
}

static void *capture_once(void *unused)
{
    struct tour tour = {.random = 5};

    (void)unused;
    tour_visit(&tour, 3);
    return tour.wrong == 0 && tour.captures != 0 ? NULL : &capture_once;
}

TEST(what_a_thread_kept_is_given_back_when_it_ends)
{
    size_t before = sg_capture_threads(), wrong = 0;

    for (int i = 0; i < 5000; i++) {
        pthread_t thread;
        void *result = &thread;

        EXPECT(pthread_create(&thread, NULL, capture_once, NULL) == 0);
        pthread_join(thread, &result);
        wrong += result != NULL;
    }
    EXPECT_EQUAL(wrong, 0);
    EXPECT_EQUAL(sg_capture_threads(), before);
    EXPECT(before >= 1);
}

/* A pool of threads that all live at once, more than there is room for. */
static pthread_barrier_t all_here;

static void *capture_together(void *unused)
{
    void *result = capture_once(unused);

    pthread_barrier_wait(&all_here);
    return result;
}

TEST(more_threads_than_there_is_room_for_go_without)
{
    enum { MANY = 2200 };
    static pthread_t threads[MANY];
    pthread_attr_t attributes;
    int started = 0, wrong = 0;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024);
    pthread_barrier_init(&all_here, NULL, MANY + 1);
    while (started < MANY &&
           pthread_create(&threads[started], &attributes, capture_together, NULL) == 0)
        started++;
    EXPECT_EQUAL(started, MANY);
    if (started < MANY)
        exit(1); /* those that wait would wait for ever */
    pthread_barrier_wait(&all_here);
    for (int i = 0; i < MANY; i++) {
        void *result = &result;

        pthread_join(threads[i], &result);
        wrong += result != NULL;
    }
    EXPECT_EQUAL(wrong, 0);
    EXPECT(sg_capture_threads() < 10);
}

static struct tour in_handler;
static sigjmp_buf back;
static volatile sig_atomic_t has_place_to_go;

static void on_tick(int number)
{
    (void)number;
    tour_visit(&in_handler, in_handler.captures % 3);
    if (has_place_to_go && tour_random(&in_handler) % 4 == 0) {
        has_place_to_go = 0;
        siglongjmp(back, 1);
    }
}

static void tick(long microseconds, int flags)
{
    struct itimerval timer = {{0, microseconds}, {0, microseconds}};
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART | flags};

    if (microseconds != 0)
        in_handler = (struct tour){.random = 6};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* Handlers at any instruction of a capture; some leave it for good. */
static void wander_under_signals(int flags)
{
    struct tour tour = {.random = 7};
    volatile int rounds = 0;

    tick(150, flags);
    for (; rounds < 400 && in_handler.captures < 1000; rounds++) {
        has_place_to_go = 0;
        if (sigsetjmp(back, 1) == 0)
            has_place_to_go = rounds % 2;
        tour_wander(&tour, 3000);
    }
    has_place_to_go = 0;
    tick(0, flags);
    expect_exact(&tour, 3000);
}

TEST(captures_in_signal_handlers_are_exact)
{
    uint64_t before;

    wander_under_signals(0);
    before = hits();
    tour_wander(&in_handler, 30000);
    expect_exact(&in_handler, 30010);
    EXPECT(hits() > before + 1000); /* no handler that jumped away left the memory in use */
}

TEST(so_are_those_on_a_signal_stack)
{
    static char memory[256 * 1024];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)};

    sigaltstack(&stack, NULL);
    wander_under_signals(SA_ONSTACK);
    expect_exact(&in_handler, 10);
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
}

/* Coroutines: stacks that come and go, two of them at one place. */
#define STACK_BYTES (128u * 1024)

static ucontext_t outside, inside;
static struct tour in_coroutine;

static void coroutine(void)
{
    for (;;) {
        tour_visit(&in_coroutine, 4);
        swapcontext(&inside, &outside);
    }
}

TEST(captures_in_coroutines_are_exact)
{
    struct tour tour = {.random = 8};

    in_coroutine = (struct tour){.random = 9};
    for (volatile int i = 0; i < 200; i++) {
        size_t bytes = STACK_BYTES >> i % 3;
        char *stack = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        getcontext(&inside);
        inside.uc_stack.ss_sp = stack;
        inside.uc_stack.ss_size = bytes;
        makecontext(&inside, coroutine, 0);
        for (int k = 0; k < 10; k++) {
            swapcontext(&outside, &inside);
            tour_visit(&tour, 4);
        }
        munmap(stack, bytes);
    }
    expect_exact(&tour, 2000);
    expect_exact(&in_coroutine, 2000);
}

/* A thread whose stack the program gave it, just above a coroutine's: nothing lies between. */
static void *on_given_stack(void *neighbour)
{
    in_coroutine = (struct tour){.random = 10};
    for (volatile int i = 0; i < 50; i++) {
        getcontext(&inside);
        inside.uc_stack.ss_sp = neighbour;
        inside.uc_stack.ss_size = STACK_BYTES;
        makecontext(&inside, coroutine, 0);
        swapcontext(&outside, &inside);
        if (i == 20) /* from now on the neighbour ends in the middle */
            mprotect((char *)neighbour + STACK_BYTES, 4096, PROT_NONE);
        tour_visit(&in_coroutine, 2);
    }
    return NULL;
}

TEST(a_stack_beside_the_threads_own_is_no_part_of_it)
{
    char *memory =
        mmap(NULL, 3 * STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, memory + STACK_BYTES, 2 * STACK_BYTES);
    EXPECT(pthread_create(&thread, &attributes, on_given_stack, memory) == 0);
    pthread_join(thread, NULL);
    expect_exact(&in_coroutine, 100);
    munmap(memory, 3 * STACK_BYTES);
}

TEST(captures_in_forked_and_vforked_children_are_exact)
{
    struct tour tour = {.random = 11};
    volatile uint64_t wrong = 1;
    int status = 1;
    pid_t child = fork();

    if (child == 0) {
        tour_wander(&tour, 5000);
        _exit(tour.wrong == 0 ? 0 : 1);
    }
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
    child = vfork();
    if (child == 0) {
        tour_wander(&tour, 5000);
        wrong = tour.wrong;
        _exit(0);
    }
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
    EXPECT_EQUAL(wrong, 0);
    tour_wander(&tour, 5000);
    expect_exact(&tour, 10000);
}

#if defined(__x86_64__)

/* Code that no table tells of: with a frame pointer, and with none. */
TEST(captures_under_code_made_at_run_time_are_exact)
{
    static const uint8_t with_pointer[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x83,
                                           0xec, 0x20, 0xff, 0xd6, 0xc9, 0xc3};
    static const uint8_t without[] = {0x48, 0x83, 0xec, 0x18, 0xff, 0xd6,
                                      0x48, 0x83, 0xc4, 0x18, 0xc3};
    struct tour tour = {.random = 12};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memcpy(code, with_pointer, sizeof(with_pointer));
    memcpy(code + 64, without, sizeof(without));
    EXPECT(mprotect(code, 4096, PROT_READ | PROT_EXEC) == 0);
    for (int i = 0; i < 2000; i++)
        tour_call(&tour, (tour_caller)(void *)(code + i % 2 * 64));
    expect_exact(&tour, 2000);
    munmap(code, 4096);
}

#endif

/* Two modules of one layout, whose one function has frames of different sizes. */
static uintptr_t visit_module(struct tour *tour, const char *path)
{
    void *module = dlopen(path, RTLD_NOW);
    tour_caller call = module == NULL ? NULL : (tour_caller)dlsym(module, "capture_module_call");
    uintptr_t place = (uintptr_t)call;

    EXPECT(call != NULL);
    for (int i = 0; call != NULL && i < 10; i++)
        tour_call(tour, call);
    if (module != NULL)
        dlclose(module);
    sg_unwind_forget();
    return place;
}

TEST(captures_are_exact_when_a_module_takes_the_place_of_another)
{
    struct tour tour = {.random = 13, .is_doubted = true};
    int same = 0;

    for (int i = 0; i < 50; i++) {
        uintptr_t one = visit_module(&tour, getenv("CAPTURE_MODULE_ONE"));
        uintptr_t two = visit_module(&tour, getenv("CAPTURE_MODULE_TWO"));

        same += one == two;
    }
    expect_exact(&tour, 1000);
    printf("# %d of 50 times in its very place\n", same);
    EXPECT(same > 0);
}

TEST(no_more_frames_are_captured_than_asked_for)
{
    EXPECT_EQUAL(sg_capture(0), 0);
    EXPECT_EQUAL(sg_depot_get(sg_capture(1)).count, 1);
    EXPECT_EQUAL(sg_depot_get(sg_capture(2)).count, 2);
    EXPECT(sg_depot_get(sg_capture(1000)).count <= DEPOT_FRAMES_MAX);
}
