/* Runs the program and outlives it: as subreaper, what it leaves behind becomes our child. */
#include "ci.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What is passed on to the program. SIGCHLD is waited for as well. */
static const int forwarded[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
                                SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH};
#define FORWARDED_COUNT (sizeof(forwarded) / sizeof(forwarded[0]))

/* What the program is to find as it would have found it without us. */
struct inherited {
    sigset_t mask;
    struct sigaction on_child;
};

struct waiting {
    pid_t program; /* 0 once it has ended */
    int status;    /* of it, as a shell has it */
    bool is_asked_to_end;
};

static sigset_t signals_of_interest(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (size_t i = 0; i < FORWARDED_COUNT; i++)
        sigaddset(&set, forwarded[i]);
    return set;
}

static int shell_status(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Reaps all that have ended; false once there is no child any more. */
static bool reap(struct waiting *waiting)
{
    pid_t child;
    int status;

    while ((child = waitpid(-1, &status, WNOHANG)) > 0)
        if (child == waiting->program) {
            waiting->status = shell_status(status);
            waiting->program = 0;
        }
    return child == 0;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A signal of the terminal has reached the program already: only those of other processes are
 * passed on. */
static void take_signal(struct waiting *waiting, const siginfo_t *info)
{
    int number = info->si_signo;

    if (number == SIGCHLD)
        return;
    if (waiting->program != 0 && info->si_code <= 0)
        (void)kill(waiting->program, number);
    if (waiting->program == 0 && number != SIGCONT && number != SIGWINCH)
        waiting->is_asked_to_end = true;
}

/* Until nothing is left, or `seconds` after the program has ended. */
static void wait_for_all(struct waiting *waiting, const sigset_t *set, unsigned seconds)
{
    int64_t end = 0;
    siginfo_t info;

    while (reap(waiting) && !waiting->is_asked_to_end) {
        if (waiting->program == 0 && end == 0)
            end = now_ms() + (int64_t)seconds * 1000;

        int64_t left = end == 0 ? INT64_C(60000) : end - now_ms();
        if (left <= 0)
            break;

        struct timespec patience = {left / 1000, left % 1000 * 1000000L};
        if (sigtimedwait(set, &info, &patience) > 0)
            take_signal(waiting, &info);
    }
}

static _Noreturn void execute(const char *path, char **argv, const struct inherited *inherited)
{
    (void)sigaction(SIGCHLD, &inherited->on_child, NULL);
    sigprocmask(SIG_SETMASK, &inherited->mask, NULL);
    execv(path, argv);
    sg_complain("'%s' cannot be executed: %s", path, strerror(errno));
    _exit(STATUS_NOT_EXECUTABLE);
}

int sg_ci_wait(const struct ci *ci, const char *path, char **argv)
{
    struct waiting waiting = {.status = STATUS_REFUSED};
    sigset_t set = signals_of_interest();
    const struct sigaction plain = {.sa_handler = SIG_DFL};
    struct inherited before;

    /* Inherited as ignored it would take our children's status away. */
    (void)sigaction(SIGCHLD, &plain, &before.on_child);
    sigprocmask(SIG_BLOCK, &set, &before.mask);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    waiting.program = fork();
    if (waiting.program == 0)
        execute(path, argv, &before);
    if (waiting.program < 0) {
        sg_complain("cannot start a process: %s", strerror(errno));
        return STATUS_REFUSED;
    }
    wait_for_all(&waiting, &set, ci->straggler_seconds);
    if (reap(&waiting))
        sg_complain("processes that the program started still run: their reports are not counted");
    sigprocmask(SIG_SETMASK, &before.mask, NULL);
    return waiting.status;
}
