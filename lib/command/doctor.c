/* spanguard doctor: is protection really on? Looks, and runs nothing but itself. */
#include "doctor.h"

#include "library.h"
#include "settings.h"
#include "target.h"
#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIX_PATH "name the file that is there, or use spanguard run"

void sg_diagnose(struct diagnosis *diagnosis, struct remark remark, const char *format, ...)
{
    static const char *const words[] = {"ok", "warn", "no"};
    va_list arguments;

    if (remark.severity > diagnosis->worst)
        diagnosis->worst = remark.severity;
    printf("%-5s ", words[remark.severity]);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    if (remark.fix != NULL)
        printf("      fix: %s\n", remark.fix);
}

void sg_proc_read(pid_t process, const char *name, struct proc_text *ret_text)
{
    char *path = process == 0 ? sg_printed("/proc/%s", name)
                              : sg_printed("/proc/%d/%s", (int)process, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = -1;

    free(path);
    ret_text->length = file < 0 ? -1 : 0;
    while (file >= 0 && (size_t)ret_text->length + 1 < sizeof(ret_text->bytes) &&
           (got = read(file, ret_text->bytes + ret_text->length,
                       sizeof(ret_text->bytes) - 1 - (size_t)ret_text->length)) > 0)
        ret_text->length += got;
    if (got < 0)
        ret_text->length = -1;
    if (file >= 0)
        close(file);
    ret_text->bytes[ret_text->length < 0 ? 0 : ret_text->length] = '\0';
}

const char *sg_proc_field(const struct proc_text *text, const char *name)
{
    size_t length = strlen(name);

    for (const char *line = text->bytes; line != NULL && *line != '\0';) {
        if (strncmp(line, name, length) == 0)
            return line + length + strspn(line + length, " \t");
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    return NULL;
}

/* Each line of the mistakes as one of ours. */
static void say_mistakes(struct diagnosis *diagnosis, struct mistakes mistakes, const char *fix)
{
    char *place = NULL;

    for (char *line = strtok_r(mistakes.text, "\n", &place); line != NULL;
         line = strtok_r(NULL, "\n", &place))
        sg_diagnose(diagnosis, WARN(fix), "%s", line);
    free(mistakes.text);
}

void sg_diagnose_options(struct diagnosis *diagnosis, const char *text)
{
    say_mistakes(diagnosis, sg_settings_mistakes_of_text(text),
                 "spanguard options lists what there is; the wrong entry has no effect");
}

static void diagnose_etc(struct diagnosis *diagnosis)
{
    struct mistakes mistakes = sg_settings_mistakes_of_etc();

    if (mistakes.count == 0)
        sg_diagnose(diagnosis, FINE, "nothing is wrong in /etc/spanguard.conf");
    say_mistakes(diagnosis, mistakes, "spanguard config check FILE; the wrong line has no effect");
}

/* A library that is named and absent: the loader says one line, and runs the program without. */
static void diagnose_preload(struct diagnosis *diagnosis, const char *preload, const char *where)
{
    char *names = sg_printed("%s", preload);
    char *place = NULL;

    for (char *name = strtok_r(names, " :\n\t", &place); name != NULL;
         name = strtok_r(NULL, " :\n\t", &place))
        if (strchr(name, '/') != NULL && access(name, R_OK) != 0)
            sg_diagnose(diagnosis, sg_library_is_ours(name) ? BAD(FIX_PATH) : WARN(FIX_PATH),
                        "%s names '%s', which cannot be read", where, name);
    free(names);
}

static bool diagnose_library(struct diagnosis *diagnosis, bool is_debug)
{
    struct library library;
    struct verdict verdict;

    if (!sg_library_find(is_debug, &library, &verdict)) {
        sg_diagnose(diagnosis, BAD("install the library"), "%s", verdict.reason);
        return false;
    }

    struct surroundings surroundings = sg_surroundings(&library, "");
    if (!sg_trial(&library, &surroundings, &verdict)) {
        sg_diagnose(diagnosis, BAD("mend that; spanguard run refuses until then, too"), "%s",
                    verdict.reason);
        return false;
    }
    sg_diagnose(diagnosis, FINE, "%s loads", library.path);
    return true;
}

static void diagnose_here(struct diagnosis *diagnosis)
{
    const char *preload = getenv("LD_PRELOAD");
    struct proc_text *file = sg_allocate(sizeof(*file));

    diagnose_library(diagnosis, false);
    if (preload != NULL)
        diagnose_preload(diagnosis, preload, "LD_PRELOAD");
    sg_proc_read(0, "../etc/ld.so.preload", file);
    if (file->length > 0)
        diagnose_preload(diagnosis, file->bytes, "/etc/ld.so.preload");
    free(file);
    sg_diagnose_limits(diagnosis, 0);
    sg_diagnose_system(diagnosis);
    diagnose_etc(diagnosis);
}

static void diagnose_program(struct diagnosis *diagnosis, const char *name)
{
    struct target target;
    struct verdict verdict;

    if (!sg_target_find(name, &target, &verdict) || !sg_target_takes_preload(&target, &verdict)) {
        sg_diagnose(
            diagnosis,
            BAD(verdict.status == STATUS_REFUSED
                    ? "link the program with libspanguard.a, if it is not, or build it dynamically"
                    : "name a program that can be run"),
            "%s", verdict.reason);
        return;
    }
    sg_diagnose(diagnosis, FINE, "'%s' takes a preloaded library", target.loaded);
}

/* The process of a number, or 0: then a usage error was said. */
static pid_t process_of(const struct command *command, const char *text, int *ret_status)
{
    char *end;
    long number = strtol(text, &end, 10);

    *ret_status = STATUS_USAGE;
    if (*end != '\0' || *text < '0' || *text > '9' || number <= 0 || number > INT_MAX)
        (void)sg_usage_error(command, "'%s' is no process; a program stands behind --", text);
    else if (kill((pid_t)number, 0) != 0 && errno == ESRCH)
        sg_complain("there is no process %ld", number);
    else
        return (pid_t)number;
    return 0;
}

/* Behind "--" stands a program, else a process. */
static bool is_program(char **argv, int index)
{
    return strcmp(argv[index - 1], "--") == 0;
}

static int run_doctor(const struct command *command, int argc, char **argv)
{
    struct diagnosis diagnosis = {SEVERITY_OK};
    int status = STATUS_OK;

    if (sg_flags_next(command, argc, argv, &status) != FLAGS_END)
        return status;
    if (optind == argc && is_program(argv, optind))
        return sg_usage_error(command, "no program given");
    if (optind == argc || is_program(argv, optind)) {
        if (optind < argc)
            diagnose_program(&diagnosis, argv[optind]);
        diagnose_here(&diagnosis);
    } else {
        pid_t process = argc - optind == 1 ? process_of(command, argv[optind], &status) : 0;

        if (argc - optind != 1)
            return sg_usage_error(command, "one process at a time");
        if (process == 0)
            return status;
        if (sg_diagnose_process(&diagnosis, process))
            sg_diagnose_limits(&diagnosis, process);
        sg_diagnose_system(&diagnosis);
    }
    return diagnosis.worst == SEVERITY_NO ? STATUS_NO : STATUS_OK;
}

const struct command sg_command_doctor = {
    .name = "doctor",
    .arguments = "[PID | -- PROGRAM [ARGUMENT...]]",
    .summary = "Tell whether protection is really on, and which limits will bite",
    .details = "Looks at a running process, at what would become of a program, or at this system.\n"
               "Runs nothing. Status 0: protected, or would be; 1: not; 2: wrong usage.\n",
    .runs_program = true,
    .run = run_doctor,
};
