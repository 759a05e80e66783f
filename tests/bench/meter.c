/* Starts one program and says what it cost: a file descriptor gets the program's process id at its
 * start, and at its end a line with its wait status, microseconds of user and system time, and the
 * peak of its resident set in KiB; the last two include every descendant that was waited for.
 *
 *     meter FD PROGRAM [ARGUMENT...]
 *
 * Linked statically and small: the kernel carries the peak of the image before exec over into the
 * program's own figure, so a program started straight from Python could never seem smaller than
 * Python. For the same reason no preload may reach this one. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
    fprintf(stderr, "meter: %s: %s\n", what, strerror(errno));
    exit(127);
}

static long microseconds(struct timeval time)
{
    return time.tv_sec * 1000000 + time.tv_usec;
}

static pid_t start(char **program)
{
    pid_t child = vfork();

    if (child < 0)
        fail("vfork");
    if (child > 0)
        return child;
    setsid(); /* a group of its own, so that it can be ended with all that it starts */
    execvp(program[0], program);
    _exit(127);
}

int main(int argc, char **argv)
{
    struct rusage usage;
    int status;

    if (argc < 3)
        fail("usage: meter FD PROGRAM [ARGUMENT...]");

    int report = atoi(argv[1]);

    if (fcntl(report, F_SETFD, FD_CLOEXEC) != 0)
        fail("the descriptor for the report");

    pid_t child = start(argv + 2);

    dprintf(report, "%d\n", (int)child);
    while (wait4(child, &status, 0, &usage) != child)
        if (errno != EINTR)
            fail("wait4");
    dprintf(report, "%d %ld %ld %ld\n", status, microseconds(usage.ru_utime),
            microseconds(usage.ru_stime), usage.ru_maxrss);
    return 0;
}
