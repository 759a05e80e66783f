#include "tier_heap.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAID_BYTES 4096

/* In the child: what dies here is no failure of the input. */
static _Noreturn void attack_alone(void (*attack)(void *argument), void *argument, int said)
{
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGALRM};

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        signal(signals[i], SIG_DFL);
    dup2(said, STDERR_FILENO);
    alarm(10);
    attack(argument);
    _exit(0);
}

/* libFuzzer looks at its clock by a signal, which cuts short what waits. */
static void read_all(int descriptor, char *text)
{
    size_t length = 0;
    ssize_t bytes;

    while ((bytes = read(descriptor, text + length, SAID_BYTES - 1 - length)) != 0)
        if (bytes > 0)
            length += (size_t)bytes;
        else
            tier_expect(errno == EINTR, "what an attack says cannot be read");
    text[length] = '\0';
}

#define FORK_TRIES 1000u /* a millisecond apart */

/* A machine that is full of processes for a moment is no failure of the input. */
static pid_t fork_patiently(void)
{
    static const struct timespec pause = {.tv_nsec = 1000000};
    pid_t child = fork();

    for (unsigned i = 0; child < 0 && errno == EAGAIN && i < FORK_TRIES; i++) {
        (void)nanosleep(&pause, NULL);
        child = fork();
    }
    return child;
}

static int wait_for(pid_t child)
{
    int status = 0;

    while (waitpid(child, &status, 0) != child)
        tier_expect(errno == EINTR, "an attack cannot be waited for");
    return status;
}

void tier_expect_report(void (*attack)(void *argument), void *argument, const char *code)
{
    char said[SAID_BYTES];
    int pipe_ends[2];

    tier_expect(pipe(pipe_ends) == 0, "no pipe");
    pid_t child = fork_patiently();
    tier_expect(child >= 0, "no child");
    if (child == 0)
        attack_alone(attack, argument, pipe_ends[1]);
    close(pipe_ends[1]);
    read_all(pipe_ends[0], said);
    close(pipe_ends[0]);
    int status = wait_for(child);

    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(said, code) != NULL)
        return;
    fprintf(stderr, "fuzz: status %d, said: %s\n", status, said);
    tier_fail(WIFEXITED(status) ? "an attack was not noticed" : "an attack has another report");
}
