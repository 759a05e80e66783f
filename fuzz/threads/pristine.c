#include "pristine.h"

#include "laboratory.h"
#include "random.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS_MAX 15u

/* There only with libFuzzer. */
int LLVMFuzzerRunDriver(int *, char ***, int (*)(const uint8_t *, size_t)) __attribute__((weak));

static struct random numbers = {.state = {1, 2}};

static long answer(long number, const long *arguments)
{
    uint8_t *bytes = (uint8_t *)arguments[0];

    if (number != SYS_getrandom)
        return laboratory_machine_call(number, arguments);
    for (long i = 0; i < arguments[1]; i++)
        bytes[i] = (uint8_t)(random_next(&numbers) >> 32);
    return arguments[1];
}

/* Before the tiers' own constructor draws its keys. Where the kernel refuses, replays may differ. */
static __attribute__((constructor(101))) void begin(int count, char **arguments, char **environment)
{
    int now = personality(0xffffffff);

    (void)count;
    if (now != -1 && (now & ADDR_NO_RANDOMIZE) == 0 && LLVMFuzzerRunDriver == NULL &&
        personality((unsigned)now | ADDR_NO_RANDOMIZE) != -1 &&
        (personality(0xffffffff) & ADDR_NO_RANDOMIZE) != 0)
        execve("/proc/self/exe", arguments, environment);
    laboratory.kernel = answer;
}

static void watch(pid_t child)
{
    int status = 0;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status))
        raise(WTERMSIG(status));
}

bool pristine_enter(void)
{
    if (LLVMFuzzerRunDriver != NULL)
        return true;
    pid_t child = fork();
    if (child != 0) {
        watch(child);
        return false;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGALRM};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        signal(signals[i], SIG_DFL);
    alarm(SECONDS_MAX);
    return true;
}

void pristine_leave(void)
{
    if (LLVMFuzzerRunDriver == NULL)
        _exit(0);
}
