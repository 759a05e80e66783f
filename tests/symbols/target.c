/* Asks for symbols where that is hard. The first word says where. */
#include "probe.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t children_signalled;
static char global_buffer[128];

static void on_child(int number)
{
    (void)number;
    children_signalled++;
}

static __attribute__((noinline)) void ask(void)
{
    long ms;
    int found;

    errno = 77;
    found = probe_quiet(3000, &ms);
    printf("found=%d errno=%d\n", found, errno);
}

static int count_descriptors(void)
{
    int count = 0;

    for (int descriptor = 0; descriptor < 256; descriptor++)
        count += fcntl(descriptor, F_GETFD) >= 0;
    return count;
}

/* What a program could notice, before and behind. */
static int try_unnoticed(int disposition)
{
    struct sigaction action = {.sa_handler = disposition == 1 ? SIG_IGN : on_child};
    sigset_t before, behind;
    int descriptors, waited;

    memset(&before, 0, sizeof(before));
    memset(&behind, 0, sizeof(behind));
    descriptors = count_descriptors();
    sigaction(SIGCHLD, &action, NULL);
    sigaction(SIGPIPE, &action, NULL);
    sigprocmask(SIG_SETMASK, NULL, &before);
    ask();
    sigprocmask(SIG_SETMASK, NULL, &behind);
    waited = waitpid(-1, NULL, __WALL);
    printf("signalled=%d descriptors=%d mask=%d child=%d\n", (int)children_signalled,
           count_descriptors() - descriptors, memcmp(&before, &behind, sizeof(before)), waited);
    return 0;
}

static void *waiter(void *unused)
{
    (void)unused;
    for (;;)
        if (wait(NULL) > 0)
            printf("stolen\n");
    return NULL;
}

static int try_waiter(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, waiter, NULL);
    for (int i = 0; i < 5; i++)
        ask();
    return 0;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    probe_context(context);
    _exit(0);
}

static __attribute__((noinline)) void write_to(volatile char *address)
{
    *address = 1; /* FAULT */
}

static int try_fault(void)
{
    static char stack[65536];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigaltstack(&other, NULL);
    sigaction(SIGSEGV, &action, NULL);
    write_to(mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    return 1;
}

/* With errno `error` for system call `number`, or whatever `action` says. */
static void refuse(const int *numbers, unsigned action)
{
    struct sock_filter load = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    struct sock_filter code[32] = {load};
    unsigned short length = 1;

    for (; *numbers >= 0; numbers++) {
        code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, *numbers, 0, 1);
        code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
    }
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
              &(struct sock_fprog){.len = length, .filter = code}) != 0)
        printf("no filter\n");
}

static int try_refused(const char *what)
{
    static const int clone_calls[] = {SYS_clone, SYS_clone3, -1};
    static const int execute[] = {SYS_execve, SYS_execveat, -1};
    static const int pipes[] = {SYS_pipe2, -1};
    static const int ends[] = {SYS_kill, SYS_setitimer, SYS_prctl, SYS_close_range, -1};
    const int *numbers = strcmp(what, "clone") == 0     ? clone_calls
                         : strcmp(what, "execute") == 0 ? execute
                         : strcmp(what, "pipes") == 0   ? pipes
                                                        : ends;

    refuse(numbers, SECCOMP_RET_ERRNO | EPERM);
    return try_unnoticed(0);
}

static int try_no_processes(void)
{
    struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_NPROC, &none) != 0 || (getuid() == 0 && setuid(65534) != 0))
        return 1;
    return try_unnoticed(0);
}

static int try_no_descriptors(void)
{
    struct rlimit few = {3, 3};

    setrlimit(RLIMIT_NOFILE, &few);
    return try_unnoticed(0);
}

static int try_closed(void)
{
    int out = fcntl(1, F_DUPFD, 20);

    long ms;
    int found;

    close(0), close(1), close(2);
    found = probe_quiet(3000, &ms);
    return dprintf(out, "found=%d\n", found) < 0;
}

static void *forker(void *unused)
{
    (void)unused;
    for (int i = 0; i < 20; i++) {
        if (fork() == 0) {
            usleep(2000000);
            _exit(0);
        }
        usleep(5000);
    }
    return NULL;
}

/* Other processes hold all descriptors of ours, also the ends of pipes. */
static int try_forked(void)
{
    pthread_t thread;
    long ms;
    int found;

    pthread_create(&thread, NULL, forker, NULL);
    usleep(20000);
    found = probe_quiet(5000, &ms);
    printf("found=%d late=%d\n", found, ms > 1500);
    pthread_join(thread, NULL);
    return 0;
}

static int try_plugin(const char *path)
{
    void *plugin = dlopen(path, RTLD_NOW);
    int (*enter)(int) = plugin == NULL ? NULL : (int (*)(int))dlsym(plugin, "plugin_enter");
    void (*data)(void) = plugin == NULL ? NULL : (void (*)(void))dlsym(plugin, "plugin_data");

    if (enter == NULL || data == NULL)
        return 1;
    if (chdir("/") != 0) /* the loader's name of it may be relative */
        return 1;
    enter(3);
    data();
    probe_data(&global_buffer[100]);
    return 0;
}

static int try_times(int count)
{
    long ms, total = 0;
    int found = 1;

    for (int i = 0; i < count; i++) {
        found &= probe_quiet(5000, &ms);
        total += ms;
    }
    printf("found=%d total=%ld\n", found, total);
    return 0;
}

/* Memory that has to be copied would make a fork slow, or impossible. */
static int try_large(void)
{
    size_t bytes = (size_t)256 << 20;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    memset(memory, 1, bytes);
    return try_times(1);
}

int main(int count, char **words)
{
    const char *what = count > 1 ? words[1] : "";
    const char *more = count > 2 ? words[2] : "";

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(what, "handler") == 0)
        return try_unnoticed(0);
    if (strcmp(what, "ignored") == 0)
        return try_unnoticed(1);
    if (strcmp(what, "waiter") == 0)
        return try_waiter();
    if (strcmp(what, "fault") == 0)
        return try_fault();
    if (strcmp(what, "refused") == 0)
        return try_refused(more);
    if (strcmp(what, "processes") == 0)
        return try_no_processes();
    if (strcmp(what, "descriptors") == 0)
        return try_no_descriptors();
    if (strcmp(what, "closed") == 0)
        return try_closed();
    if (strcmp(what, "forked") == 0)
        return try_forked();
    if (strcmp(what, "plugin") == 0)
        return try_plugin(more);
    if (strcmp(what, "times") == 0)
        return try_times(atoi(more));
    if (strcmp(what, "large") == 0)
        return try_large();
    if (strcmp(what, "many") == 0)
        probe_many();
    else
        probe_stack(); /* PLAIN */
    return 0;
}
