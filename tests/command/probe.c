/* A program that the command runs: tells what it runs under, ends as it is told, makes mistakes.
 *
 *     probe [ACTION [NUMBER]]...    done in turn */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef OWN_MALLOC /* a program that brings its own; never freed, and small */
void *malloc(size_t bytes)
{
    static char memory[1 << 20];
    static size_t used;

    used += (bytes + 15) & ~(size_t)15;
    return used <= sizeof(memory) ? memory + used - ((bytes + 15) & ~(size_t)15) : NULL;
}

void free(void *block)
{
    (void)block;
}
#endif

#ifdef ENDS_AT_ONCE
__attribute__((constructor)) static void end_at_once(void)
{
    _exit(9);
}
#endif

static const char *value(const char *name)
{
    const char *found = getenv(name);

    return found == NULL ? "(none)" : found;
}

static void tell(void)
{
    printf("malloc=%s\n", dlsym(RTLD_DEFAULT, "spanguard_version") == NULL ? "libc" : "spanguard");
    printf("preload=%s\noptions=%s\n", value("LD_PRELOAD"), value("SPANGUARD_OPTIONS"));
    printf("file=%s\n", value("SPANGUARD_REPORT_FILE"));
    fflush(stdout);
}

__attribute__((noinline)) static void free_twice(void)
{
    void *volatile block = malloc(120);

    free(block);
    free(block);
}

__attribute__((noinline)) static void free_inside(void)
{
    char *volatile block = malloc(64);

    free(block + 16);
}

static void on_signal(int number)
{
    _exit(40 + number % 16);
}

static void wait_for_signal(int milliseconds)
{
    signal(SIGTERM, on_signal);
    signal(SIGUSR1, on_signal);
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
    usleep((unsigned)milliseconds * 1000);
}

/* The rest of the actions is for a child: "child" is waited for, "orphan" is not. */
static void make_child(int is_waited_for)
{
    pid_t child = fork();

    if (child == 0)
        return;
    if (is_waited_for)
        waitpid(child, NULL, 0);
    _exit(0);
}

/* Every open descriptor from `first` on is one of the file "taken" then. */
static void take_all(int first)
{
    int taken = open("taken", O_RDWR | O_CREAT | O_TRUNC, 0600);

    for (int i = first; i < 4096; i++)
        if (fcntl(i, F_GETFD) >= 0)
            dup2(taken, i);
}

/* What no program may do once it is on: "filter" allows all, "strict" nothing but four calls. */
static void confine(const char *action)
{
    struct sock_filter allow = {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW};
    struct sock_fprog program = {.len = 1, .filter = &allow};
    int ends[2];
    char byte, line[32];

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (strcmp(action, "filter") == 0)
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
    if (strcmp(action, "strict") != 0)
        return;
    pipe(ends);
    sprintf(line, "ready %d\n", (int)getpid());
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    write(STDOUT_FILENO, line, strlen(line)); /* one of the four */
    read(ends[0], &byte, 1);                  /* for ever: the other end is open */
}

static void do_numbered(const char *action, int number)
{
    if (strcmp(action, "exit") == 0)
        _exit(number);
    if (strcmp(action, "kill") == 0)
        kill(getpid(), number);
    if (strcmp(action, "sleep") == 0)
        usleep((unsigned)number * 1000);
    if (strcmp(action, "wait") == 0)
        wait_for_signal(number);
    if (strcmp(action, "drop") == 0 && (setgid(number) != 0 || setuid(number) != 0))
        _exit(99);
    if (strcmp(action, "take") == 0)
        take_all(number);
    if (strcmp(action, "close") == 0)
        for (int i = number; i < 4096; i++)
            close(i);
}

static int do_plain(const char *action)
{
    if (strcmp(action, "tell") == 0)
        tell();
    else if (strcmp(action, "twice") == 0)
        free_twice();
    else if (strcmp(action, "inside") == 0)
        free_inside();
    else if (strcmp(action, "quiet") == 0)
        freopen("/dev/null", "w", stdout), freopen("/dev/null", "w", stderr);
    else if (strcmp(action, "filter") == 0 || strcmp(action, "strict") == 0 ||
             strcmp(action, "no-rights") == 0)
        confine(action);
    else if (strcmp(action, "lock") == 0)
        mlock(&do_plain, 1);
    else if (strcmp(action, "child") == 0 || strcmp(action, "orphan") == 0)
        make_child(action[0] == 'c');
    else
        return 0;
    return 1;
}

int main(int count, char **arguments)
{
    for (int i = 1; i < count; i++)
        if (!do_plain(arguments[i]) && i + 1 < count) {
            do_numbered(arguments[i], atoi(arguments[i + 1]));
            i++;
        }
    return 0;
}
