/* Runs pairs of allocate and release under the library, steps through some of them one
 * instruction at a time, and prints where each instruction lay: one line per call,
 *     OPERATION BYTES STACK OFFSET...
 * with OFFSET from the start of the library in hex, or "-" for an instruction outside it.
 * Reads no clock and counts nothing: ci/check_fast_path.py does that. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WARM_PAIRS = 20000, WARM_BLOCKS = 64, TRACED_PAIRS = 31, MOST_STEPS = 100000 };
enum { STATUS_NO_PTRACE = 77 };

/* The second argument of release is the size, for the sized delete; free ignores it. */
struct pair {
    const char *names[2];
    void *(*allocate)(size_t bytes);
    void (*release)(void *block, size_t bytes);
};

struct library {
    unsigned long start, end;
};

struct trace {
    unsigned long top, lowest; /* of the stack pointer: at the entry, and since */
    size_t length;
    unsigned long steps[MOST_STEPS];
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void *symbol(const char *name)
{
    void *address = dlsym(RTLD_DEFAULT, name);

    if (address == NULL) {
        fprintf(stderr, "no symbol %s\n", name);
        exit(1);
    }
    return address;
}

static int find_extent(struct dl_phdr_info *info, size_t info_bytes, void *result)
{
    struct library *library = result;

    (void)info_bytes;
    if (info->dlpi_addr != library->start)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_LOAD)
            library->end = library->start + header->p_vaddr + header->p_memsz;
    }
    return 1;
}

/* The library that provides malloc; it must be the one that was asked for. */
static struct library find_library(const char *path)
{
    struct library library = {0};
    Dl_info info;

    if (dladdr(symbol("malloc"), &info) == 0 || strcmp(info.dli_fname, path) != 0) {
        fprintf(stderr, "malloc is not that of %s\n", path);
        exit(1);
    }
    library.start = (unsigned long)info.dli_fbase;
    if (dl_iterate_phdr(find_extent, &library) == 0)
        fail("dl_iterate_phdr");
    return library;
}

/* Leaves blocks of this size in every cache on the way, and code in place of lazy binding. */
static void warm_up(const struct pair *pair, size_t bytes)
{
    void *blocks[WARM_BLOCKS];

    for (int i = 0; i < WARM_BLOCKS; i++)
        blocks[i] = pair->allocate(bytes);
    for (int i = 0; i < WARM_BLOCKS; i += 2)
        pair->release(blocks[i], bytes);
    for (int i = 0; i < WARM_PAIRS; i++)
        pair->release(pair->allocate(bytes), bytes);
    for (int i = 1; i < WARM_BLOCKS; i += 2)
        pair->release(blocks[i], bytes);
}

static void be_traced(const struct pair *pair, size_t bytes)
{
    warm_up(pair, bytes);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(STATUS_NO_PTRACE);
    raise(SIGSTOP);
    for (int i = 0; i < TRACED_PAIRS; i++)
        pair->release(pair->allocate(bytes), bytes);
    _exit(0);
}

/* One instruction; false once the child has ended. */
static int step(pid_t child, struct user_regs_struct *registers)
{
    int status;

    if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0)
        fail("PTRACE_SINGLESTEP");
    if (waitpid(child, &status, 0) != child)
        fail("waitpid");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP) {
        fprintf(stderr, "the traced program ended or stopped with status %#x\n", status);
        exit(1);
    }
    if (ptrace(PTRACE_GETREGS, child, NULL, registers) != 0)
        fail("PTRACE_GETREGS");
    return 1;
}

/* From the first instruction of a call to its return. */
static void follow(pid_t child, struct user_regs_struct *registers, struct trace *trace)
{
    trace->top = trace->lowest = registers->rsp;
    for (trace->length = 0; registers->rsp <= trace->top;) {
        if (trace->length == MOST_STEPS) {
            fprintf(stderr, "a call of more than %d instructions\n", MOST_STEPS);
            exit(1);
        }
        trace->steps[trace->length++] = registers->rip;
        if (registers->rsp < trace->lowest)
            trace->lowest = registers->rsp;
        if (!step(child, registers))
            exit(1);
    }
}

static void print_trace(const struct trace *trace, const struct library *library)
{
    printf(" %lu", trace->top - trace->lowest);
    for (size_t i = 0; i < trace->length; i++) {
        if (trace->steps[i] >= library->start && trace->steps[i] < library->end)
            printf(" %lx", trace->steps[i] - library->start);
        else
            printf(" -");
    }
    putchar('\n');
}

static void trace_child(pid_t child, const struct pair *pair, size_t bytes,
                        const struct library *library)
{
    static struct trace trace;
    const unsigned long entries[] = {(unsigned long)pair->allocate, (unsigned long)pair->release};
    struct user_regs_struct registers;

    while (step(child, &registers)) {
        for (int i = 0; i < 2; i++) {
            if (registers.rip != entries[i])
                continue;
            follow(child, &registers, &trace);
            printf("%s %zu", pair->names[i], bytes);
            print_trace(&trace, library);
        }
    }
}

static void measure(const struct pair *pair, size_t bytes, const struct library *library)
{
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0)
        be_traced(pair, bytes);
    if (waitpid(child, &status, 0) != child)
        fail("waitpid");
    if (!WIFSTOPPED(status))
        exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
    trace_child(child, pair, bytes, library);
}

int main(int argc, char **argv)
{
    struct pair pairs[] = {{.names = {"malloc", "free"}}, {.names = {"new", "delete"}}};
    struct library library;

    if (argc < 3) {
        fputs("usage: LD_PRELOAD=LIBRARY fast_path_probe LIBRARY BYTES...\n", stderr);
        return 2;
    }
    library = find_library(argv[1]);
    *(void **)&pairs[0].allocate = symbol("malloc");
    *(void **)&pairs[0].release = symbol("free");
    *(void **)&pairs[1].allocate = symbol("_Znwm");
    *(void **)&pairs[1].release = symbol("_ZdlPvm");
    for (int pair = 0; pair < 2; pair++) {
        for (int i = 2; i < argc; i++)
            measure(&pairs[pair], strtoul(argv[i], NULL, 10), &library);
    }
    return 0;
}
