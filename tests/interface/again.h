/* Starts the program of a topic again at one BODY(), with other options, and says how it ended and
 * what it wrote: for what has to hold from the start of a process, and for what ends one. */
#ifndef SG_INTERFACE_AGAIN_H
#define SG_INTERFACE_AGAIN_H

#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { AGAIN_SECONDS = 25, AGAIN_TEXT_MOST = 16384 };

struct again {
    int ending;                 /* as a shell says it: the exit status, or 128 and the signal */
    char text[AGAIN_TEXT_MOST]; /* what was written on both streams */
};

static bool again_ignores_faults; /* what the next start inherits */

/* Those of the whole run come first. */
static inline const char *again_options(const char *options)
{
    static char all[256];
    const char *common = getenv("CHECK_OPTIONS");

    if (common == NULL)
        return options;
    snprintf(all, sizeof all, "%s:%s", common, options);
    return all;
}

static inline void again_exec(const char *body, const char *options, int output)
{
    struct rlimit no_core = {0, 0};
    char *const arguments[] = {(char *)body, NULL};

    if (again_ignores_faults)
        signal(SIGSEGV, SIG_IGN);
    if (setenv("AGAIN_BODY", body, 1) != 0 ||
        setenv("SPANGUARD_OPTIONS", again_options(options), 1) != 0 ||
        setrlimit(RLIMIT_CORE, &no_core) != 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(output, STDERR_FILENO) < 0)
        _exit(98);
    execv("/proc/self/exe", arguments);
    _exit(98);
}

static inline void again_collect(struct again *result, int input)
{
    char surplus[512];
    size_t length = 0;
    ssize_t got;

    do {
        size_t room = sizeof result->text - 1 - length;

        got = room > 0 ? read(input, result->text + length, room)
                       : read(input, surplus, sizeof surplus);
        if (got > 0 && room > 0)
            length += (size_t)got;
    } while (got > 0 || (got < 0 && errno == EINTR));
    result->text[length] = '\0';
}

static inline struct again again(const char *body, const char *options)
{
    static struct again result;
    int ends[2], status = -1;

    result.ending = -1;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return result;
    pid_t child = fork();
    if (child == 0)
        again_exec(body, options, ends[1]);
    close(ends[1]);
    again_collect(&result, ends[0]);
    close(ends[0]);
    if (child > 0 && waitpid(child, &status, 0) == child)
        result.ending = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return result;
}

static inline void again_enter(const char *name, void (*body)(void))
{
    const char *wanted = getenv("AGAIN_BODY");

    if (wanted == NULL || strcmp(wanted, name) != 0)
        return;
    unsetenv("AGAIN_BODY"); /* children of a body are what they ask for */
    alarm(AGAIN_SECONDS);
    body();
    _exit(0);
}

/* What again() can start; it runs before main and leaves with status 0. */
#define BODY(name_)                                                                                \
    static void name_(void);                                                                       \
    __attribute__((constructor)) static void enter_##name_(void)                                   \
    {                                                                                              \
        again_enter(#name_, name_);                                                                \
    }                                                                                              \
    static void name_(void)

/* In a body: goes on only if it holds. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            check_say("line %d: required %s\n", __LINE__, #condition);                             \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static inline void again_tell(const char *body, const char *options, const struct again *result)
{
    check_say("# %s with '%s' ended with %d and said: %.300s\n", body, options, result->ending,
              result->text);
}

/* The body ends so, and exactly this is written. */
static inline bool again_is(const char *body, const char *options, int ending, const char *text)
{
    struct again result = again(body, options);
    bool good = result.ending == ending && strcmp(result.text, text) == 0;

    if (!good)
        again_tell(body, options, &result);
    return good;
}

/* Whether the text is one line of a report with this in it, behind `before`. */
static inline bool is_report(const char *text, const char *before, const char *sentence)
{
    size_t length = strlen(text), skip = strlen(before);

    return strncmp(text, before, skip) == 0 && strncmp(text + skip, "spanguard[", 10) == 0 &&
           strstr(text + skip, sentence) != NULL && strstr(text + skip, " id=") != NULL &&
           strchr(text + skip, '\n') == text + length - 1;
}

/* The body ends so, after one report and nothing else. */
static inline bool again_reports(const char *body, const char *options, int ending,
                                 const char *sentence)
{
    struct again result = again(body, options);
    bool good = result.ending == ending && is_report(result.text, "", sentence);

    if (!good)
        again_tell(body, options, &result);
    return good;
}

#endif
