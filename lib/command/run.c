/* spanguard run: the program with our library as its malloc, or no program at all. */
#include "ci.h"
#include "settings.h"
#include "target.h"
#include "trial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_FOLDER "reports"
#define DEFAULT_SECONDS 10

enum { FLAG_CI = 1, FLAG_TIMEOUT };

struct run {
    char *options; /* from -o and --profile, as SPANGUARD_OPTIONS has them */
    bool is_ci;
    bool has_seconds; /* --timeout was given */
    struct ci ci;
    struct library library;
    struct target target;
};

static void add_option(struct run *run, const char *name, const char *value)
{
    char *longer =
        sg_printed("%s%s%s%s", run->options, *run->options == '\0' ? "" : ":", name, value);

    free(run->options);
    run->options = longer;
}

static int set_profile(const struct command *command, struct run *run, const char *name)
{
    if (!sg_profile_is_known(name))
        return sg_usage_error(command, "unknown profile '%s'%s", name,
                              sg_did_you_mean(name, sg_profiles));
    add_option(run, "profile=", name);
    return STATUS_OK;
}

static int set_seconds(const struct command *command, struct run *run, const char *text)
{
    char *end;
    unsigned long seconds = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || seconds > 86400)
        return sg_usage_error(command, "--timeout '%s' is not a number from 0 to 86400", text);
    run->ci.straggler_seconds = (unsigned)seconds;
    run->has_seconds = true;
    return STATUS_OK;
}

static int set_flag(const struct command *command, struct run *run, int flag)
{
    switch (flag) {
    case 'p':
        return set_profile(command, run, optarg);
    case 'o':
        if (strchr(optarg, '=') == NULL && strcmp(optarg, "help") != 0)
            return sg_usage_error(command, "-o '%s' is not of the form NAME=VALUE", optarg);
        add_option(run, "", optarg);
        return STATUS_OK;
    case FLAG_CI:
        run->is_ci = true;
        run->ci.wanted = optarg == NULL ? DEFAULT_FOLDER : optarg;
        return *run->ci.wanted == '\0' ? sg_usage_error(command, "--ci= needs a folder")
                                       : STATUS_OK;
    case FLAG_TIMEOUT:
    default:
        return set_seconds(command, run, optarg);
    }
}

/* The profile that the last entry of the options names, or NULL. */
static const char *last_profile(const char *options, char *name, size_t capacity)
{
    static const char key[] = "profile=";
    const char *found = NULL;

    for (const char *entry = options; entry != NULL && *entry != '\0';) {
        if (strncmp(entry, key, sizeof(key) - 1) == 0) {
            const char *value = entry + sizeof(key) - 1;

            (void)snprintf(name, capacity, "%.*s", (int)strcspn(value, ":"), value);
            found = name;
        }
        entry = strchr(entry, ':');
        entry = entry == NULL ? NULL : entry + 1;
    }
    return found;
}

static bool wants_debug(const struct run *run)
{
    char name[32];
    const char *inherited = getenv("SPANGUARD_OPTIONS");
    const char *profile = last_profile(run->options, name, sizeof(name));

    if (profile == NULL)
        profile = last_profile(inherited, name, sizeof(name));
    return profile != NULL && sg_profile_is_debug(profile);
}

/* Refuses options that only the debug library obeys: a run that looks for leaks and is silent
 * because nobody looked says the opposite of what is known. */
static bool options_have_effect(const struct run *run, struct verdict *verdict)
{
    char name[32];

    if (run->library.is_debug)
        return true;
    for (const char *entry = run->options; *entry != '\0'; entry += strspn(entry, ":")) {
        (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(entry, "=:"), entry);
        if (sg_setting_is_of_debug(name))
            return sg_refuse(verdict, STATUS_REFUSED,
                             "option '%s' has no effect without --profile debug or guard", name);
        entry += strcspn(entry, ":");
    }
    return true;
}

/* All that can be known before the program runs; the environment is set then. */
static bool prepare(struct run *run, const char *name, struct verdict *verdict)
{
    if (!sg_target_find(name, &run->target, verdict) ||
        !sg_target_takes_preload(&run->target, verdict) ||
        !sg_library_find(wants_debug(run), &run->library, verdict) ||
        !options_have_effect(run, verdict))
        return false;
    if (run->is_ci && !sg_ci_begin(&run->ci, &run->library, verdict))
        return false;
    if (run->is_ci && run->ci.lines >= 0) {
        char value[24];

        (void)snprintf(value, sizeof(value), "%d", run->ci.lines);
        add_option(run, "report=fd:", value);
    }

    struct surroundings surroundings = sg_surroundings(&run->library, run->options);
    if (!sg_trial(&run->library, &surroundings, verdict))
        return false;
    sg_surroundings_set(&surroundings);
    return true;
}

static int parse(const struct command *command, struct run *run, int argc, char **argv)
{
    int status = STATUS_OK;
    int flag;

    while ((flag = sg_flags_next(command, argc, argv, &status)) >= 0) {
        status = set_flag(command, run, flag);
        if (status != STATUS_OK)
            return status;
    }
    if (flag == FLAGS_END && optind == argc)
        return sg_usage_error(command, "no program given");
    if (flag == FLAGS_END && run->has_seconds && !run->is_ci)
        return sg_usage_error(command, "--timeout is of --ci: it does not end the program");
    return flag == FLAGS_LEAVE && status == STATUS_OK ? -1 : status; /* help was asked for */
}

static int run_program(const struct command *command, int argc, char **argv)
{
    struct run run = {.options = sg_printed("%s", ""),
                      .ci = {.lines = -1, .straggler_seconds = DEFAULT_SECONDS}};
    struct verdict verdict;
    int status = parse(command, &run, argc, argv);

    if (status != STATUS_OK)
        return status < 0 ? STATUS_OK : status;
    if (!prepare(&run, argv[optind], &verdict)) {
        sg_complain("%s", verdict.reason);
        return verdict.status;
    }
    if (run.is_ci) {
        status = sg_ci_wait(&run.ci, run.target.path, argv + optind);
        return sg_ci_finish(&run.ci, argv[optind], status);
    }
    execv(run.target.path, argv + optind);
    sg_complain("'%s' cannot be executed: %s", run.target.path, strerror(errno));
    return STATUS_NOT_EXECUTABLE;
}

static const struct flag flags[] = {
    {'p', "profile", "NAME", "hardened (default), fast, strict, debug or guard"},
    {'o', "option", "NAME=VALUE", "a setting, as spanguard options lists them"},
    {FLAG_CI, "ci", "[FOLDER]", "collect all reports there (default: reports), exit 86 if any"},
    {FLAG_TIMEOUT, "timeout", "SECONDS", "--ci: wait so long for what outlives the program (10)"},
};

const struct command sg_command_run = {
    .name = "run",
    .arguments = "[OPTION...] [--] PROGRAM [ARGUMENT...]",
    .summary = "Run a program with spanguard as its malloc",
    .details = "Refuses, with status 125, when the library would not take effect in the program\n"
               "or an option is wrong. Prints nothing else.\n",
    .flags = flags,
    .flag_count = FLAG_COUNT(flags),
    .runs_program = true,
    .run = run_program,
};
