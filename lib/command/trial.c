#include "trial.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROOF "library is loaded"
#define TRIAL_SECONDS 20
#define STATUS_UNLOADED 93 /* no other reason ends the trial with that */
#define PRELOAD_SEPARATORS " :"

int sg_trial_serve(void)
{
    bool is_loaded = dlsym(RTLD_DEFAULT, "spanguard_version") != NULL;

    free(malloc(1));
    if (is_loaded)
        printf(PROOF "\n");
    return is_loaded ? STATUS_OK : STATUS_UNLOADED;
}

struct surroundings sg_surroundings(const struct library *library, const char *added)
{
    const char *options = getenv("SPANGUARD_OPTIONS");
    const char *inherited = getenv("LD_PRELOAD");
    char *rest = sg_printed("%s", inherited == NULL ? "" : inherited);
    char *preload = sg_printed("%s", library->path);
    char *place = NULL;

    for (char *name = strtok_r(rest, PRELOAD_SEPARATORS, &place); name != NULL;
         name = strtok_r(NULL, PRELOAD_SEPARATORS, &place)) {
        if (sg_library_is_ours(name))
            continue;
        char *longer = sg_printed("%s:%s", preload, name);
        free(preload);
        preload = longer;
    }
    free(rest);
    bool has_both = options != NULL && *options != '\0' && *added != '\0';
    return (struct surroundings){
        .preload = preload,
        .options = sg_printed("%s%s%s", options == NULL ? "" : options, has_both ? ":" : "", added),
    };
}

void sg_surroundings_set(const struct surroundings *surroundings)
{
    setenv("LD_PRELOAD", surroundings->preload, 1);
    if (*surroundings->options != '\0')
        setenv("SPANGUARD_OPTIONS", surroundings->options, 1);
}

static _Noreturn void serve(const struct surroundings *surroundings, int output)
{
    static char self[] = "spanguard", argument[] = TRIAL_ARGUMENT;
    char *arguments[] = {self, argument, NULL};
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    alarm(TRIAL_SECONDS); /* kept by exec: a trial that hangs ends */
    sg_surroundings_set(surroundings);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execv("/proc/self/exe", arguments);
    _exit(STATUS_NOT_FOUND);
}

static void read_all(int descriptor, char *buffer, size_t capacity)
{
    size_t length = 0;
    ssize_t got;

    while (length + 1 < capacity &&
           (got = read(descriptor, buffer + length, capacity - length - 1)) > 0)
        length += (size_t)got;
    buffer[length] = '\0';
}

static int wait_for(pid_t child)
{
    int status = -1;

    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

static int run_child(const struct surroundings *surroundings, char *said, size_t capacity)
{
    int ends[2];

    said[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;

    pid_t child = fork();
    if (child == 0)
        serve(surroundings, ends[1]);
    close(ends[1]);
    if (child > 0) {
        read_all(ends[0], said, capacity);
        close(ends[0]); /* a trial that says more than that is ended by SIGPIPE */
        return wait_for(child);
    }
    close(ends[0]);
    return -1;
}

/* Runs it; everything that it and the loader said is in `said` then. The program is to get SIGCHLD
 * as we got it; ignored, it would take the trial's status away. */
static int run_trial(const struct surroundings *surroundings, char *said, size_t capacity)
{
    const struct sigaction plain = {.sa_handler = SIG_DFL};
    struct sigaction before;

    (void)sigaction(SIGCHLD, &plain, &before);
    int status = run_child(surroundings, said, capacity);
    (void)sigaction(SIGCHLD, &before, NULL);
    return status;
}

/* The library's complaints about SPANGUARD_OPTIONS, without what precedes them. */
static bool find_mistakes(char *said, struct verdict *verdict)
{
    static const char of_options[] = "SPANGUARD_OPTIONS: ";
    size_t length = 0;
    char *place = NULL;

    for (char *line = strtok_r(said, "\n", &place); line != NULL;
         line = strtok_r(NULL, "\n", &place)) {
        char *mistake = strstr(line, of_options);

        if (mistake == NULL || strncmp(line, "spanguard[", 10) != 0 ||
            length + strlen(mistake) + 16 > sizeof(verdict->reason))
            continue;
        mistake += sizeof(of_options) - 1;
        (void)sprintf(verdict->reason + length, "%s%s", length == 0 ? "" : "; ", mistake);
        length += strlen(verdict->reason + length);
    }
    verdict->status = STATUS_REFUSED;
    return length > 0;
}

/* "... cannot be preloaded (REASON): ignored." */
static const char *loader_reason(char *said)
{
    char *open = strstr(said, "cannot be preloaded (");

    if (open == NULL)
        return "the loader does not say why";
    open += strlen("cannot be preloaded (");
    open[strcspn(open, ")\n")] = '\0';
    return open;
}

bool sg_trial(const struct library *library, const struct surroundings *surroundings,
              struct verdict *ret_verdict)
{
    char said[16384];

    if (strpbrk(library->path, PRELOAD_SEPARATORS) != NULL)
        return sg_refuse(ret_verdict, STATUS_REFUSED,
                         "'%s' cannot be preloaded: LD_PRELOAD is split at blanks and colons",
                         library->path);
    if (access(library->path, R_OK) != 0)
        return sg_refuse(ret_verdict, STATUS_REFUSED, "'%s' cannot be read", library->path);

    int status = run_trial(surroundings, said, sizeof(said));
    if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_UNLOADED)
        return sg_refuse(ret_verdict, STATUS_REFUSED, "'%s' does not load: %s", library->path,
                         loader_reason(said));
    if (status != 0 || strstr(said, PROOF) == NULL)
        return sg_refuse(ret_verdict, STATUS_REFUSED, "a trial under '%s' failed (status %d)%s%s",
                         library->path, status, said[0] == '\0' ? "" : ": ", said);
    return !find_mistakes(said, ret_verdict);
}
