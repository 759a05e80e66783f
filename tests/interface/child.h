/* Runs a piece of a test in a child of its own and says how the child ended. */
#ifndef SG_INTERFACE_CHILD_H
#define SG_INTERFACE_CHILD_H

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_SECONDS = 15 };

/* The wait status of a child that ran body(argument) and then left with status 0. */
static inline int child_status(void (*body)(void *), void *argument)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        alarm(CHILD_SECONDS);
        body(argument);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return status;
}

/* As a shell says it: the exit status, or 128 and the signal. */
static inline int child_ending(void (*body)(void *), void *argument)
{
    int status = child_status(body, argument);

    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

#endif
