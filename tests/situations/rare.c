/* Mistakes that are rarely made, and options that are rarely set. */
#include "bug.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/time.h>

/* What the library has besides malloc; the program is not linked with it. */
static void *of_library(const char *name)
{
    void *found = dlsym(RTLD_DEFAULT, name);

    require(found != NULL, name);
    return found;
}

static __attribute__((noinline)) void lose_here(size_t depth)
{
    volatile char frame[256];

    frame[0] = 1;
    if (depth > 0)
        lose_here(depth - 1);
    else
        memset(malloc(opaque(333)), 1, 333);
    (void)frame[0];
}

static void lose(void)
{
    lose_here(20);
}

/* Whose blocks are told apart from each other: by what made them. */
static void typed_and_deleted(void)
{
    void *(*make)(size_t, unsigned) = of_library("spanguard_malloc_typed");
    void (*delete)(void *) = of_library("_ZdlPv");

    free(make(opaque(40), 3));
    say("on\n");
    delete (make(opaque(40), 3));
}

static void typed_and_written(void)
{
    unsigned char *(*make)(size_t, size_t, unsigned) = of_library("spanguard_calloc_typed");
    unsigned char *volatile block = make(opaque(5), opaque(8), 3);

    say(block[39] == 0 ? "zero\n" : "not zero\n");
    block[opaque(40)] = 1;
    free(block);
}

static void of_another_alignment(void)
{
    void *(*make)(size_t, size_t) = of_library("_ZnwmSt11align_val_t");
    void (*delete)(void *, size_t) = of_library("_ZdlPvSt11align_val_t");
    char *block = make(opaque(200), 64);

    while (((uintptr_t)block & 65535) == 0) /* it happens to be */
        block = make(opaque(200), 64);
    delete (block, 65536);
}

static void aligned_and_freed(void)
{
    free(aligned_alloc(4096, opaque(100)));
    free(memalign(64, opaque(100)));
    say("on\n");
}

/* What is written where a block was, and around it. */
static void written_at(ptrdiff_t offset)
{
    volatile char *block = malloc(opaque(100));

    free((void *)block);
    block[offset] = 17;
    say("on\n");
}

static void write_behind_freed(void)
{
    written_at((ptrdiff_t)opaque(104));
}

static void write_before_freed(void)
{
    written_at(-(ptrdiff_t)opaque(3));
}

static void write_in_freed(void)
{
    written_at((ptrdiff_t)opaque(50));
}

static void empty_twice(void)
{
    void *volatile block = malloc(opaque(0));

    free(block);
    free(block);
}

static void empty_and_aligned(void)
{
    void *small = aligned_alloc(4096, opaque(0)), *large = aligned_alloc(2 << 20, opaque(0));

    require(((uintptr_t)small & 4095) == 0 && ((uintptr_t)large & ((2 << 20) - 1)) == 0, "lax\n");
    free(large);
    free(small);
    say("on\n");
}

static void aligned_and_written(void)
{
    volatile char *block = aligned_alloc(64, opaque(100));

    block[opaque(128)] = 'x';
    say("on\n");
    _exit(0);
}

static void reallocate_freed(void)
{
    void *volatile block = malloc(opaque(100));

    free(block);
    say(realloc(block, opaque(200)) == NULL ? "nothing\n" : "something\n");
}

static void reallocate_too_much(void)
{
    char *volatile block = malloc(opaque(100));
    void *volatile moved;

    block[99] = 7;
    moved = realloc(block, opaque(SIZE_MAX / 2));
    say(moved == NULL && block[99] == 7 ? "kept\n" : "lost\n");
    free(block);
}

/* The memory of a block that nothing is known of any more has another owner. */
static void free_what_another_owns(void)
{
    char *volatile stale = malloc(opaque(100));
    static char *others[4000];

    free(stale);
    for (size_t i = 0; i < 4000; i++)
        free(malloc(opaque(100)));
    for (size_t i = 0; i < 4000; i++)
        others[i] = malloc(opaque(100));
    free(stale);
    free(others[0]);
}

static void free_a_number(void)
{
    free((void *)opaque((size_t)1 << 60));
}

/* A page of the heap, of which no block is known. */
static void free_beyond_the_heap(void)
{
    char *block = malloc(opaque(100000));

    free(block + opaque(1 << 19));
}

static void *free_it(void *address)
{
    free(address);
    return NULL;
}

static void free_the_stack_of_another(void)
{
    int local = 0;
    pthread_t thread;

    pthread_create(&thread, NULL, free_it, &local);
    pthread_join(thread, NULL);
}

/* How much room there is: of a block, of none, of memory that is nobody's. */
static void ask_for_room(void)
{
    size_t (*room)(const void *) = of_library("spanguard_block_room");
    char *block = malloc(opaque(100)), *freed = malloc(opaque(100));
    int local = 0;
    char line[120];

    free(freed);
    snprintf(line, sizeof(line), "%zu %zu %zu %zu %zu %d\n", room(block), room(block + 99),
             room(block + 100), room(block - 1), room(freed), room(&local) == SIZE_MAX);
    free(block);
    say(line);
}

static void ask_for_sizes(void)
{
    void *volatile block = malloc(opaque(100));

    say(malloc_usable_size(block) == 100 ? "100\n" : "another\n");
    free(block);
    say(malloc_usable_size(block) == 0 ? "none\n" : "some\n");
}

/* Mistakes of a handler of a signal, while the report of another mistake waits for names. */
static void *volatile twice, *volatile inside, *volatile made;
static char *volatile spoilt;
static volatile sig_atomic_t handled;

static void make_mistakes(int number)
{
    void (*delete)(void *) = (void (*)(void *))made;

    (void)number;
    if (handled != 0)
        return;
    handled = 1;
    free(twice);
    delete (inside);
    free(spoilt);
}

static void report_in_a_report(void)
{
    struct itimerval soon = {.it_value = {.tv_usec = 500}, .it_interval = {.tv_usec = 500}};
    void *volatile block = malloc(opaque(100));

    made = of_library("_ZdlPv");
    twice = malloc(opaque(50));
    inside = malloc(opaque(60));
    spoilt = malloc(opaque(24));
    spoilt[24] = 'x';
    free(twice);
    signal(SIGALRM, make_mistakes);
    setitimer(ITIMER_REAL, &soon, NULL);
    free(block);
    free(block);
    for (int i = 0; i < 2000 && handled == 0; i++)
        usleep(1000);
    say(handled != 0 ? "handled\n" : "never\n");
    _exit(0);
}

/* The program itself took the access to its block away. */
static void fault_in_its_own_block(void)
{
    char *block = aligned_alloc(4096, opaque(8192));

    require(mprotect(block, 4096, PROT_NONE) == 0, "no mprotect\n");
    *(volatile char *)block = 1;
}

static void read_through_freed_memory(void)
{
    void **volatile block = malloc(opaque(100));

    free(block);
    *(volatile char *)block[1] = 1;
}

static void free_what_was_freed_memory(void)
{
    void **volatile block = malloc(opaque(100));

    free(block);
    free(block[1]);
}

const struct body rare[] = {
    {"report_in_a_report", report_in_a_report},
    {"fault_in_its_own_block", fault_in_its_own_block},
    {"read_through_freed_memory", read_through_freed_memory},
    {"free_what_was_freed_memory", free_what_was_freed_memory},
    {"lose", lose},
    {"typed_and_deleted", typed_and_deleted},
    {"typed_and_written", typed_and_written},
    {"of_another_alignment", of_another_alignment},
    {"aligned_and_freed", aligned_and_freed},
    {"write_behind_freed", write_behind_freed},
    {"write_before_freed", write_before_freed},
    {"write_in_freed", write_in_freed},
    {"empty_twice", empty_twice},
    {"empty_and_aligned", empty_and_aligned},
    {"aligned_and_written", aligned_and_written},
    {"reallocate_freed", reallocate_freed},
    {"reallocate_too_much", reallocate_too_much},
    {"free_what_another_owns", free_what_another_owns},
    {"free_a_number", free_a_number},
    {"free_beyond_the_heap", free_beyond_the_heap},
    {"free_the_stack_of_another", free_the_stack_of_another},
    {"ask_for_room", ask_for_room},
    {"ask_for_sizes", ask_for_sizes},
    {NULL, NULL},
};
