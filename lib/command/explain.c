/* spanguard explain: what a code means, and what a report says once its places have names. */
#include "explain.h"

#include "bug.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct explain {
    struct module_files files;
    struct bug *bug;
    size_t found;
};

static int explain_code(const char *code)
{
    const char *text = sg_bug_explain(code);

    if (text == NULL) {
        sg_complain("no report has the code '%s': spanguard-reports(7) lists them", code);
        return STATUS_NO;
    }
    printf("%s%s", text, text[0] == '\0' || text[strlen(text) - 1] == '\n' ? "" : "\n");
    return STATUS_OK;
}

static bool has_colour(void)
{
    const char *no = getenv("NO_COLOR");

    return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0');
}

static bool explain_bug(struct explain *explain, const char *line)
{
    char *buffer;

    if (!sg_bug_read_json(explain->bug, line, strcspn(line, "\n")))
        return false;
    buffer = sg_allocate((size_t)BUG_REPORT_BYTES);
    struct text text = sg_text_begin(buffer, (size_t)BUG_REPORT_BYTES);
    sg_explain_find_symbols(explain->bug, &explain->files);
    sg_bug_say_text(&text, explain->bug, has_colour());
    fputs(buffer, stdout);
    free(buffer);
    return true;
}

/* The "line" of a record that `run --ci` made of a one-line report. */
static void unquote_line(char *line)
{
    static const char key[] = ",\"line\":\"";
    const char *from = strstr(line, key);

    if (strncmp(line, "{\"spanguard_line\":", 18) != 0 || from == NULL)
        return;
    for (from += sizeof(key) - 1; *from != '\0' && *from != '"'; from++) {
        if (from[0] == '\\' && from[1] != '\0')
            from++;
        *line++ = *from;
    }
    *line = '\0';
}

static void explain_text(struct explain *explain, char *line)
{
    struct line_report report;
    const char *separator = explain->found == 0 ? "" : "\n";

    unquote_line(line);
    if (sg_line_read(line, &report)) {
        printf("%s", separator);
        sg_explain_line(&report, &explain->files);
        explain->found++;
    } else if (line[0] == '{' && explain_bug(explain, line)) {
        explain->found++;
    }
}

#define LINE_BYTES_MOST (1 << 20) /* more than any report has */

/* The rest of a longer line comes as further ones: there are files without an end. */
static bool read_line(FILE *file, char line[LINE_BYTES_MOST])
{
    size_t length = 0;
    int byte = EOF;

    while (length < LINE_BYTES_MOST - 1 && byte != '\n' && (byte = getc_unlocked(file)) != EOF)
        line[length++] = (char)byte;
    line[length] = '\0';
    return length > 0;
}

static int explain_file(struct explain *explain, const char *name)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    static char line[LINE_BYTES_MOST];

    if (file == NULL) {
        sg_complain("'%s': %s", name, strerror(errno));
        return STATUS_NO;
    }
    while (read_line(file, line))
        explain_text(explain, line);
    bool is_bad = ferror(file) != 0;
    fclose(file);
    if (explain->found > 0 && !is_bad)
        return STATUS_OK;

    const char *quote = strcmp(name, "-") == 0 ? "" : "'";
    sg_complain("%s%s%s %s", quote, *quote == '\0' ? "standard input" : name, quote,
                is_bad ? "cannot be read" : "has no report in it");
    return STATUS_NO;
}

static int explain_argument(struct explain *explain, char *argument)
{
    char code[8];

    (void)snprintf(code, sizeof(code), "%s", argument);
    code[0] = (char)toupper((unsigned char)code[0]);
    if (strlen(argument) == 4 && sg_is_code(code))
        return explain_code(code);
    if (argument[0] != '{' && strstr(argument, "spanguard[") == NULL)
        return explain_file(explain, argument);
    explain_text(explain, argument);
    if (explain->found > 0)
        return STATUS_OK;
    sg_complain("that is no complete report");
    return STATUS_NO;
}

static int add_module(const struct command *command, struct module_files *files, const char *text)
{
    const char *equals = strchr(text, '=');

    if (equals == NULL || equals == text || equals[1] == '\0')
        return sg_usage_error(command, "--module '%s' is not of the form NAME=PATH", text);
    if (files->count == MODULES_MOST)
        return sg_usage_error(command, "more than %d modules", MODULES_MOST);
    files->given[files->count++] = text;
    return STATUS_OK;
}

static int run_explain(const struct command *command, int argc, char **argv)
{
    struct explain explain = {.found = 0};
    int status = STATUS_OK;
    int flag;

    while ((flag = sg_flags_next(command, argc, argv, &status)) >= 0) {
        if (flag == 'p')
            explain.files.program = optarg;
        else if ((status = add_module(command, &explain.files, optarg)) != STATUS_OK)
            return status;
    }
    if (flag == FLAGS_LEAVE)
        return status;
    if (argc - optind != 1)
        return sg_usage_error(command,
                              argc == optind ? "nothing to explain" : "one thing at a time");
    explain.bug = sg_allocate(sizeof(*explain.bug));
    status = explain_argument(&explain, argv[optind]);
    free(explain.bug);
    return status;
}

static const struct flag flags[] = {
    {'m', "module", "NAME=PATH", "the file of a module that the report names"},
    {'p', "program", "PATH", "the program that made the report"},
};

const struct command sg_command_explain = {
    .name = "explain",
    .arguments = "[OPTION...] CODE|FILE|REPORT|-",
    .summary = "Explain a code, or a report with names and source lines",
    .details = "CODE is like P203. FILE, or standard input for -, has reports in lines: those of\n"
               "the library in any log, or the JSON of report.jsonl.\n",
    .flags = flags,
    .flag_count = FLAG_COUNT(flags),
    .run = run_explain,
};
