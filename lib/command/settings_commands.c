/* spanguard options and spanguard config. */
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLAG_JSON = 1 };
#define FILE_BYTES_MOST (64 << 10) /* as the library has it */

static int show_options(const struct command *command, int argc, char **argv)
{
    const char *const *names = sg_settings_names();
    bool is_json = false;
    int status = STATUS_OK;
    int flag;

    while ((flag = sg_flags_next(command, argc, argv, &status)) >= 0)
        is_json = is_json || flag == FLAG_JSON;
    if (flag == FLAGS_LEAVE)
        return status;
    if (argc - optind > 1)
        return sg_usage_error(command, "one option at a time, or none for all");

    const char *name = argv[optind]; /* NULL behind the last */
    for (; name != NULL && *names != NULL && strcmp(*names, name) != 0; names++)
        continue;
    if (*names == NULL)
        return sg_usage_error(command, "no option is called '%s'%s", name,
                              sg_did_you_mean(name, sg_settings_names()));
    sg_settings_print(name, is_json);
    return STATUS_OK;
}

/* What the library holds against a file in /etc, whatever it says. */
static size_t check_rights(const char *path)
{
    struct stat status;
    const char *problem = NULL;

    if (stat(path, &status) != 0)
        return 0;
    if (!S_ISREG(status.st_mode))
        problem = "is no regular file";
    else if (status.st_size > FILE_BYTES_MOST)
        problem = "has more than 64 KiB";
    else if (strncmp(path, "/etc/", 5) == 0 && status.st_uid != 0)
        problem = "is not owned by root";
    else if (strncmp(path, "/etc/", 5) == 0 && (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        problem = "is writable by others than its owner";
    if (problem == NULL)
        return 0;
    printf("%s: it would be ignored, it %s\n", path, problem);
    return 1;
}

static int check_file(const char *path)
{
    struct mistakes mistakes;
    struct stat status;
    size_t count = check_rights(path);

    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return STATUS_NO;
    if (!sg_settings_mistakes_of_file(path, &mistakes)) {
        sg_complain("'%s' cannot be read: %s", path, strerror(errno));
        return STATUS_NO;
    }
    fputs(mistakes.text, stdout);
    return count + mistakes.count == 0 ? STATUS_OK : STATUS_NO;
}

static int run_config(const struct command *command, int argc, char **argv)
{
    static const char *const actions[] = {"check", NULL};
    int status = STATUS_OK;

    if (sg_flags_next(command, argc, argv, &status) != FLAGS_END)
        return status;
    if (optind == argc)
        return sg_usage_error(command, "what is to be done?");
    if (strcmp(argv[optind], "check") != 0)
        return sg_usage_error(command, "unknown action '%s'%s", argv[optind],
                              sg_did_you_mean(argv[optind], actions));
    if (argc - optind != 2)
        return sg_usage_error(command, "check needs one file");
    return check_file(argv[optind + 1]);
}

static const struct flag flags[] = {
    {FLAG_JSON, "json", NULL, "all of it as JSON"},
};

const struct command sg_command_options = {
    .name = "options",
    .arguments = "[--json] [NAME]",
    .summary = "List the library's options, their values and where they were set",
    .details = "Values are those of a program started from here by plain preloading.\n",
    .flags = flags,
    .flag_count = FLAG_COUNT(flags),
    .run = show_options,
};

const struct command sg_command_config = {
    .name = "config",
    .arguments = "check FILE",
    .summary = "Check a configuration file before it is installed",
    .details = "Names every mistake with its line; says nothing if there is none. Lines for other\n"
               "programs are checked as well.\n",
    .run = run_config,
};
