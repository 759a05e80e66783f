/* Starts one program over and over under different preloads, in random order inside each round,
 * and prints what each start cost. Linked statically: its own image is small, no preload reaches
 * it, and a child made by vfork has nothing of it to copy or to release.
 *
 *     spawn cpu|memory ROUNDS SEED NAME=PRELOAD... -- PROGRAM [ARGUMENT...]
 *
 * cpu:    one line per start: name, user + system microseconds.
 * memory: one line per start: name, resident KiB, anonymous KiB at exit. These are read while the
 *         child is held in its exit stop, from smaps_rollup. ru_maxrss would not do: the kernel
 *         carries the peak of the image before exec over into it, and from Linux 6.2 on counts it
 *         with per-CPU counters that may be off by dozens of pages; smaps_rollup walks the page
 *         tables and is exact. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_PRELOADS = 32, MOST_VARIABLES = 500, PATH_BYTES = 4096 };

struct preload {
    const char *name;
    char setting[PATH_BYTES]; /* LD_PRELOAD=..., or empty */
};

static struct preload preloads[MOST_PRELOADS];
static size_t preload_count;
static char *child_environment[MOST_VARIABLES + 2];

static void fail(const char *what)
{
    fprintf(stderr, "spawn: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void add_preload(char *argument)
{
    char *path = strchr(argument, '=');

    if (path == NULL || preload_count == MOST_PRELOADS)
        fail("bad list of preloads");
    *path++ = '\0';
    preloads[preload_count].name = argument;
    if (*path != '\0')
        snprintf(preloads[preload_count].setting, PATH_BYTES, "LD_PRELOAD=%s", path);
    preload_count++;
}

static void set_environment(struct preload *preload)
{
    size_t count = 0;

    for (char **variable = environ; *variable != NULL && count < MOST_VARIABLES; variable++)
        if (strncmp(*variable, "LD_PRELOAD=", 11) != 0)
            child_environment[count++] = *variable;
    if (preload->setting[0] != '\0')
        child_environment[count++] = preload->setting;
    child_environment[count] = NULL;
}

static pid_t start(char **program, bool traced)
{
    pid_t child = vfork();

    if (child < 0)
        fail("vfork");
    if (child > 0)
        return child;
    if (traced && ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(126);
    execve(program[0], program, child_environment);
    _exit(127);
}

static long microseconds(struct timeval time)
{
    return time.tv_sec * 1000000 + time.tv_usec;
}

static void check_exit(const struct preload *preload, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    fprintf(stderr, "spawn: %s: child ended with status %#x\n", preload->name, status);
    exit(1);
}

static void measure_cpu(struct preload *preload, char **program)
{
    struct rusage usage;
    int status;
    pid_t child = start(program, false);

    if (wait4(child, &status, 0, &usage) != child)
        fail("wait4");
    check_exit(preload, status);
    printf("%s\t%ld\n", preload->name, microseconds(usage.ru_utime) + microseconds(usage.ru_stime));
}

static long field_kib(const char *text, const char *field)
{
    const char *found = strstr(text, field);

    return found == NULL ? -1 : atol(found + strlen(field));
}

static void print_memory(const struct preload *preload, pid_t child)
{
    char path[64], text[4096];
    int file;
    ssize_t length;

    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)child);
    file = open(path, O_RDONLY | O_CLOEXEC);
    length = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (length <= 0)
        fail(path);
    text[length] = '\0';
    close(file);
    printf("%s\t%ld\t%ld\n", preload->name, field_kib(text, "\nRss:"),
           field_kib(text, "\nAnonymous:"));
}

static void measure_memory(struct preload *preload, char **program)
{
    int status;
    bool first = true;
    pid_t child = start(program, true);

    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        int signal_number = WSTOPSIG(status);

        if (first) { /* the stop after exec: only now may options be set */
            if (ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL) != 0)
                fail("ptrace");
            first = false;
        }
        if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8))
            print_memory(preload, child);
        ptrace(PTRACE_CONT, child, NULL, signal_number == SIGTRAP ? 0 : signal_number);
    }
    check_exit(preload, status);
}

static void shuffle(size_t *order, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)random() % i, kept = order[i - 1];

        order[i - 1] = order[other];
        order[other] = kept;
    }
}

int main(int argc, char **argv)
{
    size_t order[MOST_PRELOADS];
    int next = 4;
    bool memory = argc > 1 && strcmp(argv[1], "memory") == 0;

    while (next < argc && strcmp(argv[next], "--") != 0)
        add_preload(argv[next++]);
    if (preload_count == 0 || next + 1 >= argc)
        fail("usage: spawn cpu|memory ROUNDS SEED NAME=PRELOAD... -- PROGRAM [ARGUMENT...]");
    for (size_t i = 0; i < preload_count; i++)
        order[i] = i;
    srandom((unsigned)atoi(argv[3]));
    for (int round = 0; round < atoi(argv[2]); round++) {
        shuffle(order, preload_count);
        for (size_t i = 0; i < preload_count; i++) {
            set_environment(&preloads[order[i]]);
            (memory ? measure_memory : measure_cpu)(&preloads[order[i]], argv + next + 1);
        }
    }
    return 0;
}
