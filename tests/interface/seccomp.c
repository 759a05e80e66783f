/* Sandboxes: once a filter is in place, allocation makes do with the calls that it leaves. */
#include "check.h"
#include "child.h"
#include "threads.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const int needed[] = {
    SYS_read,         SYS_write,        SYS_exit,           SYS_exit_group, SYS_futex,
    SYS_mmap,         SYS_munmap,       SYS_mprotect,       SYS_madvise,    SYS_mremap,
    SYS_rt_sigaction, SYS_rt_sigreturn, SYS_rt_sigprocmask,
};
enum { NEEDED = sizeof needed / sizeof *needed, RULES_MOST = 2 * NEEDED + 16 };

struct filter {
    struct sock_filter rules[RULES_MOST];
    unsigned short count;
};

static void add_rule(struct filter *filter, uint16_t code, uint32_t value, uint8_t skip_if_not)
{
    filter->rules[filter->count++] = (struct sock_filter){code, 0, skip_if_not, value};
}

static void answer_call(struct filter *filter, int call, uint32_t answer)
{
    add_rule(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 1);
    add_rule(filter, BPF_RET | BPF_K, answer, 0);
}

static void filter_start(struct filter *filter)
{
    filter->count = 0;
    add_rule(filter, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0);
}

static void filter_end(struct filter *filter, uint32_t otherwise)
{
    for (int i = 0; i < NEEDED; i++)
        answer_call(filter, needed[i], SECCOMP_RET_ALLOW);
    add_rule(filter, BPF_RET | BPF_K, otherwise, 0);
    struct sock_fprog program = {filter->count, filter->rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(77);
}

/* Enough of every size to need memory from the system and to give it back. */
static void use_the_heap(void)
{
    static char *blocks[3000];

    for (unsigned round = 0; round < 300; round++)
        if (!allocate_a_round(round))
            _exit(2);
    for (int i = 0; i < 3000; i++) {
        size_t bytes = (size_t)i * 37 % 20000 + 1;

        if ((blocks[i] = calloc(1, bytes)) == NULL || blocks[i][bytes - 1] != 0)
            _exit(3);
        memset(blocks[i], 1, bytes);
    }
    for (int i = 0; i < 3000; i++)
        free(blocks[i]);
    malloc_trim(0);
    for (size_t bytes = 1 << 20; bytes < 64 << 20; bytes *= 2) {
        char *block = realloc(calloc(1, bytes), bytes + bytes / 2);

        if (block == NULL || block[bytes - 1] != 0)
            _exit(4);
        block[bytes] = 1;
        errno = 1234;
        free(block);
        if (errno != 1234)
            _exit(5);
    }
    free(aligned_alloc(1 << 20, 3 << 20));
}

static void kill_at_other_calls(void *unused)
{
    struct filter filter;

    (void)unused;
    filter_start(&filter);
    filter_end(&filter, SECCOMP_RET_KILL_PROCESS);
    use_the_heap();
}

/* The calls in the list, ended by 0, fail although they are of the needed ones. */
struct refusal {
    int error;
    int calls[4];
};

static void refuse(void *pointer)
{
    struct refusal *refusal = pointer;
    struct filter filter;

    filter_start(&filter);
    for (int i = 0; refusal->calls[i] != 0; i++)
        answer_call(&filter, refusal->calls[i], SECCOMP_RET_ERRNO | (uint32_t)refusal->error);
    filter_end(&filter, SECCOMP_RET_ERRNO | (uint32_t)refusal->error);
    use_the_heap();
}

static void expect_survived(struct refusal refusal)
{
    int ending = child_ending(refuse, &refusal);

    if (ending == 77)
        SKIP("this kernel takes no filter");
    EXPECT_EQUAL(ending, 0);
}

TEST(the_heap_works_where_every_unneeded_call_kills)
{
    NOT_OVER_GLIBC(); /* it calls brk */
    int ending = child_ending(kill_at_other_calls, NULL);

    if (ending == 77)
        SKIP("this kernel takes no filter");
    EXPECT_EQUAL(ending, 0);
}

TEST(the_heap_works_where_every_unneeded_call_is_EPERM)
{
    expect_survived((struct refusal){EPERM, {SYS_getrandom}});
}

TEST(the_heap_works_where_madvise_and_getrandom_are_EPERM)
{
    expect_survived((struct refusal){EPERM, {SYS_madvise, SYS_getrandom}});
}

TEST(the_heap_works_where_madvise_and_getrandom_are_ENOSYS)
{
    expect_survived((struct refusal){ENOSYS, {SYS_madvise, SYS_getrandom}});
}

TEST(the_heap_works_where_mremap_is_EPERM)
{
    expect_survived((struct refusal){EPERM, {SYS_mremap}});
}

static void refuse_more_memory(void *unused)
{
    struct filter filter;
    size_t count = 0;

    (void)unused;
    filter_start(&filter);
    answer_call(&filter, SYS_mmap, SECCOMP_RET_ERRNO | ENOMEM);
    answer_call(&filter, SYS_mremap, SECCOMP_RET_ERRNO | ENOMEM);
    filter_end(&filter, SECCOMP_RET_ERRNO | ENOMEM);
    for (size_t bytes = 1 << 10; bytes <= (size_t)1 << 40; bytes *= 2) {
        errno = 0;
        char *block = malloc(bytes);

        if (block == NULL && errno != ENOMEM)
            _exit(2);
        count += block == NULL;
        free(block);
    }
    _exit(count == 0 ? 3 : 0);
}

TEST(malloc_is_ENOMEM_where_no_more_memory_can_be_mapped)
{
    int ending = child_ending(refuse_more_memory, NULL);

    if (ending == 77)
        SKIP("this kernel takes no filter");
    EXPECT_EQUAL(ending, 0);
}
