#include "child.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_SECONDS 10u
#define STACK_BYTES ((size_t)256 << 10)

struct shared *child_page;

static const struct child_events *events;

/* libFuzzer's counters of edges, where the compiler made some: a child's would be lost with it. */
extern uint8_t __start___sancov_cntrs[] __attribute__((weak));
extern uint8_t __stop___sancov_cntrs[] __attribute__((weak));

static size_t counter_bytes(void)
{
    return __start___sancov_cntrs == NULL
               ? 0
               : (size_t)(__stop___sancov_cntrs - __start___sancov_cntrs);
}

static uint8_t *shared_counters(void)
{
    return (uint8_t *)(child_page + 1);
}

static void leave(int status)
{
    if (counter_bytes() > 0)
        memcpy(shared_counters(), __start___sancov_cntrs, counter_bytes());
    child_page->is_done = true;
    _exit(status);
}

void child_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(child_page->failure, sizeof(child_page->failure), format, arguments);
    va_end(arguments);
    leave(1);
    __builtin_unreachable();
}

void child_finish(void)
{
    leave(0);
    __builtin_unreachable();
}

static void on_signal(int number, siginfo_t *information, void *context)
{
    if (number == SIGABRT || number == SIGILL || number == SIGTRAP)
        events->on_report();
    else if (number == SIGSEGV && information->si_code > 0)
        events->on_fault((uintptr_t)information->si_addr, context);
    child_fail("died of %s", number == SIGALRM ? "taking too long" : strsignal(number));
}

void child_watch(const struct child_events *wanted)
{
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGALRM};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER};

    events = wanted;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
    alarm(CHILD_SECONDS);
}

static void start(void)
{
    size_t bytes = sizeof(*child_page) + counter_bytes();

    if (child_page != NULL)
        return;
    child_page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (child_page == MAP_FAILED)
        abort();
}

static bool judge(int status)
{
    if (child_page->failure[0] == '\0' && (!child_page->is_done || status != 0))
        snprintf(child_page->failure, sizeof(child_page->failure), "the child ended with %#x",
                 (unsigned)status);
    if (counter_bytes() > 0 && child_page->is_done)
        memcpy(__start___sancov_cntrs, shared_counters(), counter_bytes());
    return child_page->failure[0] == '\0';
}

bool child_run(void (*body)(const void *argument), const void *argument)
{
    int status = 0;

    start();
    memset(child_page, 0, sizeof(*child_page));
    pid_t child = fork();
    if (child < 0)
        abort();
    if (child == 0) {
        body(argument);
        leave(0);
    }
    while (waitpid(child, &status, 0) != child)
        if (errno != EINTR) /* libFuzzer looks at its clock by a signal */
            abort();
    return judge(status);
}
