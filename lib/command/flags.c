/* Options of the commands: getopt_long, with one table for parsing, help and suggestions. */
#include "command.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FLAGS_MOST 16
enum { HELP_LETTER = 'h' };

struct parser {
    struct option longs[FLAGS_MOST + 2];
    char shorts[3 * FLAGS_MOST + 8];
    const char *names[FLAGS_MOST + 2]; /* with the dashes, for suggestions */
    char name_bytes[FLAGS_MOST + 1][32];
};

static int kind_of_value(const struct flag *flag)
{
    if (flag->value == NULL)
        return no_argument;
    return flag->value[0] == '[' ? optional_argument : required_argument;
}

static void add(struct parser *parser, size_t index, const struct flag *flag)
{
    static const char *const colons[] = {"", ":", "::"};
    size_t length = strlen(parser->shorts);
    int kind = kind_of_value(flag);

    parser->longs[index] = (struct option){flag->name, kind, NULL, flag->letter};
    if (flag->letter > ' ')
        (void)snprintf(parser->shorts + length, sizeof(parser->shorts) - length, "%c%s",
                       flag->letter, colons[kind]);
    (void)snprintf(parser->name_bytes[index], sizeof(parser->name_bytes[index]), "--%s",
                   flag->name);
    parser->names[index] = parser->name_bytes[index];
}

static const struct flag help_flag = {HELP_LETTER, "help", NULL, "this text"};

static struct parser *parser_of(const struct command *command)
{
    static struct parser parser; /* its addresses are in itself: it does not move */

    parser = (struct parser){.shorts = ":"};
    if (command->runs_program)
        memcpy(parser.shorts, "+:", sizeof("+:"));
    for (size_t i = 0; i < command->flag_count && i < FLAGS_MOST; i++)
        add(&parser, i, &command->flags[i]);
    add(&parser, command->flag_count, &help_flag);
    return &parser;
}

static void print_flag(const struct flag *flag)
{
    char text[64];
    char letter[8] = "    ";
    bool is_optional = kind_of_value(flag) == optional_argument;

    if (flag->letter > ' ')
        (void)snprintf(letter, sizeof(letter), "-%c, ", flag->letter);
    if (is_optional)
        (void)snprintf(text, sizeof(text), "%s--%s[=%s", letter, flag->name, flag->value + 1);
    else
        (void)snprintf(text, sizeof(text), "%s--%s %s", letter, flag->name,
                       flag->value == NULL ? "" : flag->value);
    printf("  %-26s %s\n", text, flag->help);
}

static void print_help(const struct command *command)
{
    printf("usage: spanguard %s%s%s\n\n%s.\n", command->name, *command->arguments ? " " : "",
           command->arguments, command->summary);
    if (command->details != NULL)
        printf("\n%s", command->details);
    printf("\n");
    for (size_t i = 0; i < command->flag_count; i++)
        print_flag(&command->flags[i]);
    print_flag(&help_flag);
}

int sg_usage_error(const struct command *command, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "spanguard %s: ", command->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nspanguard %s --help says more\n", command->name);
    return STATUS_USAGE;
}

static int wrong_option(const struct command *command, const struct parser *parser,
                        const char *argument, int answer)
{
    char word[64];

    (void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(argument, "="), argument);
    if (answer == ':')
        return sg_usage_error(command, "option '%s' needs a value", word);
    if (optopt != 0 && strncmp(argument, "--", 2) == 0)
        return sg_usage_error(command, "option '%s' takes no value", word);
    if (optopt != 0)
        return sg_usage_error(command, "unknown option '-%c'", optopt);
    return sg_usage_error(command, "unknown option '%s'%s", word,
                          sg_did_you_mean(word, parser->names));
}

int sg_flags_next(const struct command *command, int argc, char **argv, int *ret_status)
{
    struct parser *parser = parser_of(command);

    opterr = 0;
    int answer = getopt_long(argc, argv, parser->shorts, parser->longs, NULL);

    if (answer == -1)
        return FLAGS_END;
    if (answer == '?' || answer == ':') {
        *ret_status = wrong_option(command, parser, argv[optind - 1], answer);
        return FLAGS_LEAVE;
    }
    if (answer == HELP_LETTER) {
        print_help(command);
        *ret_status = STATUS_OK;
        return FLAGS_LEAVE;
    }
    return answer;
}
