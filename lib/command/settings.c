/* The parser's complaints, caught: they go through the sink of reports, which is a file here. */
#include "settings.h"

#include "options_state.h"
#include "os_file.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct options_sources of_system = {.folder = "/etc", .owner = 0};

static int begin_catching(void)
{
    int file = memfd_create("mistakes", MFD_CLOEXEC);
    const struct report_settings sink = {
        .profile = "", .target = REPORT_DESCRIPTOR, .descriptor = file};

    if (file >= 0)
        sg_report_configure(&sink);
    return file;
}

static void add_mistake(struct mistakes *mistakes, const char *place, const char *line)
{
    char *longer = sg_printed("%s%s%s\n", mistakes->text, place, line);

    free(mistakes->text);
    mistakes->text = longer;
    mistakes->count++;
}

/* "spanguard[PID]: " comes off, and with a place of ours the parser's as well. */
static void take_mistake(struct mistakes *mistakes, const char *place, const char *line)
{
    const char *rest = strstr(line, "]: ");

    rest = rest == NULL ? line : rest + 3;
    if (place[0] != '\0' && strstr(rest, ": ") != NULL)
        rest = strstr(rest, ": ") + 2;
    add_mistake(mistakes, place, rest);
}

static void end_catching(int file, const char *place, struct mistakes *mistakes)
{
    const struct report_settings plain = {.profile = "", .target = REPORT_STDERR};
    FILE *lines = file < 0 || lseek(file, 0, SEEK_SET) != 0 ? NULL : fdopen(file, "r");
    char *line = NULL;
    size_t capacity = 0;

    sg_report_configure(&plain);
    if (lines == NULL) { /* not to be taken for no mistakes */
        add_mistake(mistakes, place, "what is wrong there cannot be told: no memory or descriptor");
        if (file >= 0)
            close(file);
        return;
    }
    while (getline(&line, &capacity, lines) > 0) {
        line[strcspn(line, "\n")] = '\0';
        take_mistake(mistakes, place, line);
    }
    free(line);
    fclose(lines);
}

static struct options_state begin(void)
{
    struct options_state state = {.sources = &of_system};

    sg_options_settle(&state, &state.values);
    return state;
}

struct mistakes sg_settings_mistakes_of_etc(void)
{
    struct mistakes mistakes = {sg_printed("%s", ""), 0};
    struct options_state state = begin();
    int file = begin_catching();

    sg_options_read_files(&state);
    end_catching(file, "", &mistakes);
    return mistakes;
}

struct mistakes sg_settings_mistakes_of_text(const char *text)
{
    struct mistakes mistakes = {sg_printed("%s", ""), 0};
    struct options_state state = begin();
    int file = begin_catching();

    state.here = (struct origin){.kind = ORIGIN_ENVIRONMENT};
    sg_options_set_text(&state, text);
    end_catching(file, "", &mistakes);
    return mistakes;
}

/* The lines behind a section header count for its program only; here they all count. */
static void check_line(struct options_state *state, const char *line, const char *place,
                       struct mistakes *mistakes)
{
    static struct os_path scratch;
    int file = begin_catching();

    state->here = (struct origin){.kind = ORIGIN_FILE};
    state->mistake_count = 0;
    sg_options_set_lines(state, word_of(line), &scratch);
    end_catching(file, place, mistakes);
}

bool sg_settings_mistakes_of_file(const char *path, struct mistakes *ret_mistakes)
{
    struct options_state state = begin();
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t capacity = 0;

    *ret_mistakes = (struct mistakes){sg_printed("%s", ""), 0};
    for (unsigned number = 1; file != NULL && getline(&line, &capacity, file) > 0; number++) {
        char *place = sg_printed("%s:%u: ", path, number);

        line[strcspn(line, "\n")] = '\0';
        check_line(&state, line, place, ret_mistakes);
        free(place);
    }
    free(line);
    if (file == NULL)
        return false;
    bool is_read = ferror(file) == 0;
    fclose(file);
    return is_read;
}

const char *const *sg_settings_names(void)
{
    static const char *names[OPTION_COUNT + 1];

    for (size_t i = 0; i < OPTION_COUNT; i++)
        names[i] = sg_option_table[i].name;
    return names;
}

bool sg_setting_is_of_debug(const char *name)
{
    for (size_t i = OPTION_INDEX(quarantine); i < OPTION_COUNT; i++)
        if (strcmp(name, sg_option_table[i].name) == 0)
            return true;
    return false;
}
