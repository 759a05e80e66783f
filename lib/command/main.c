/* spanguard COMMAND: finds the command in the table. A new command is a file and a row. */
#include "command.h"
#include "trial.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct command *const commands[] = {
    &sg_command_run,     &sg_command_explain, &sg_command_doctor,
    &sg_command_options, &sg_command_config,
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int print_help(void)
{
    printf("usage: spanguard COMMAND [ARGUMENT...]\n\n"
           "Runs programs with spanguard as their malloc, and tells what it found.\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-9s %s\n", commands[i]->name, commands[i]->summary);
    printf("\nspanguard COMMAND --help says more; so does spanguard(1).\n");
    return STATUS_OK;
}

static int unknown_command(const char *name)
{
    const char *names[COMMAND_COUNT + 3];

    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i]->name;
    names[COMMAND_COUNT] = "--help";
    names[COMMAND_COUNT + 1] = "--version";
    names[COMMAND_COUNT + 2] = NULL;
    sg_complain("unknown %s '%s'%s", name[0] == '-' ? "option" : "command", name,
                sg_did_you_mean(name, names));
    fprintf(stderr, "spanguard --help lists the commands\n");
    return STATUS_USAGE;
}

static int run_command(int argc, char **argv)
{
    const char *name = argv[1];

    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return print_help();
    if (strcmp(name, "--version") == 0) {
        printf("spanguard %s\n", SG_VERSION);
        return STATUS_OK;
    }
    if (strcmp(name, TRIAL_ARGUMENT) == 0)
        return sg_trial_serve();
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, commands[i]->name) == 0)
            return commands[i]->run(commands[i], argc - 1, argv + 1);
    return unknown_command(name);
}

/* A stream that is closed must not become a pipe or a file of ours. Closed again by exec. */
static void fill_streams(void)
{
    int descriptor;

    do
        descriptor = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor >= 0)
        close(descriptor);
}

int main(int argc, char **argv)
{
    fill_streams();
    if (argc < 2) {
        sg_complain("no command given");
        fprintf(stderr, "spanguard --help lists the commands\n");
        return STATUS_USAGE;
    }

    int status = run_command(argc, argv);

    if (fflush(stdout) != 0 && status == STATUS_OK) {
        sg_complain("cannot write to stdout");
        return STATUS_NO;
    }
    return status;
}
