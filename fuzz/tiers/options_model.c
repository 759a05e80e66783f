#include "options_model.h"

#include <stdio.h>
#include <string.h>

#define LINES_OF_SOURCE_MAX 20u
#define PART_BYTES 8192

/* A copy of text [from, end), without the blanks around it. */
struct part {
    char bytes[PART_BYTES];
};

static void copy_trimmed(struct part *part, const char *from, const char *end)
{
    while (from < end && strchr(" \t\r", *from) != NULL)
        from++;
    while (from < end && strchr(" \t\r", end[-1]) != NULL)
        end--;
    memcpy(part->bytes, from, (size_t)(end - from));
    part->bytes[end - from] = '\0';
}

static void copy(struct part *part, const char *from, const char *end)
{
    memcpy(part->bytes, from, (size_t)(end - from));
    part->bytes[end - from] = '\0';
}

static const char *end_at(const char *text, char byte)
{
    const char *found = strchr(text, byte);

    return found == NULL ? text + strlen(text) : found;
}

void model_begin(struct options_model *model, const char *program)
{
    *model = (struct options_model){.program = program};
}

static void complain(struct options_model *model)
{
    model->mistakes++;
    if (model->mistakes <= LINES_OF_SOURCE_MAX)
        model->lines++;
    if (model->mistakes == LINES_OF_SOURCE_MAX)
        model->lines++; /* that there are more */
}

/* As the profile has it where nobody said anything. */
static uint64_t settled(const struct options_model *model, size_t index)
{
    uint64_t profile = model->is_set[OPTION_INDEX(profile)] ? model->values[OPTION_INDEX(profile)]
                                                            : PROFILE_HARDENED;

    if (model->is_set[index])
        return model->values[index];
    if (profile >= PROFILE_COUNT)
        profile = PROFILE_HARDENED;
    return sg_option_table[index].profiles[profile];
}

static bool parse_decimal(const char *text, size_t length, uint64_t *ret_value)
{
    unsigned __int128 value = 0;

    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
        if (value > UINT64_MAX)
            return false;
    }
    *ret_value = (uint64_t)value;
    return true;
}

static bool parse_number(const char *text, uint64_t *ret_value)
{
    size_t length = strlen(text);
    const char *units = "KMG";
    const char *unit = length == 0 ? NULL : strchr(units, text[length - 1]);
    unsigned shift = unit == NULL ? 0 : 10 * (unsigned)(unit - units + 1);
    uint64_t number;

    if (!parse_decimal(text, length - (unit != NULL), &number) || number > UINT64_MAX >> shift)
        return false;
    *ret_value = number << shift;
    return true;
}

static bool parse_switch(const char *text, uint64_t *ret_value)
{
    static const char *const words[] = {"0", "1", "off", "on", "no", "yes"};

    for (size_t i = 0; i < 6; i++)
        if (strcmp(text, words[i]) == 0) {
            *ret_value = i % 2;
            return true;
        }
    return false;
}

static bool parse_choice(const char *choices, const char *text, uint64_t *ret_value)
{
    char all[256];
    uint64_t index = 0;

    snprintf(all, sizeof(all), "%s", choices);
    for (char *word = strtok(all, "|"); word != NULL; word = strtok(NULL, "|"), index++)
        if (strcmp(word, text) == 0) {
            *ret_value = index;
            return true;
        }
    return false;
}

static bool parse_report(const char *text, uint64_t *ret_value)
{
    if (strcmp(text, "stderr") == 0 || strcmp(text, "journal") == 0) {
        *ret_value = text[0] == 'j' ? REPORT_TO_JOURNAL : REPORT_TO_STDERR;
        return true;
    }
    if (strncmp(text, "fd:", 3) != 0 || !parse_decimal(text + 3, strlen(text + 3), ret_value) ||
        *ret_value > 65535)
        return false;
    *ret_value += REPORT_TO_FD;
    return true;
}

static bool parse(const struct option *option, const char *text, uint64_t *ret_value)
{
    bool is_value = false;

    switch (option->kind) {
    case KIND_NUMBER:
        is_value = parse_number(text, ret_value);
        break;
    case KIND_SWITCH:
        is_value = parse_switch(text, ret_value);
        break;
    case KIND_CHOICE:
        is_value = parse_choice(option->choices, text, ret_value);
        break;
    case KIND_REPORT:
        is_value = parse_report(text, ret_value);
        break;
    }
    return is_value && *ret_value >= option->min && *ret_value <= option->max;
}

bool model_is_as_strong(const struct option *option, uint64_t value, uint64_t floor)
{
    if (option->stronger == STRONGER_FREE || value == floor)
        return true;
    if (option->stronger == STRONGER_HIGHER)
        return value > floor;
    if (option->stronger == STRONGER_LOWER)
        return value < floor;
    if (option->stronger == STRONGER_MEAN) /* 0 is never */
        return floor == 0 || (value > 0 && value < floor);
    return false;
}

/* lock: in files only; help: everywhere else, and a word on its own is enough. */
static void set_special(struct options_model *model, const char *name, const char *value)
{
    bool is_lock = strcmp(name, "lock") == 0;
    uint64_t is_on = 1;

    if (is_lock != model->is_in_file)
        complain(model);
    else if (!parse_switch(value, &is_on) && (is_lock || value[0] != '\0'))
        complain(model);
    else if (is_lock)
        model->is_locked = is_on != 0;
    else
        model->wants_help = is_on != 0;
}

static void set(struct options_model *model, const char *name, const char *value)
{
    uint64_t number = 0;
    size_t i = 0;

    if (strcmp(name, "lock") == 0 || strcmp(name, "help") == 0) {
        set_special(model, name, value);
        return;
    }
    while (i < OPTION_COUNT && strcmp(name, sg_option_table[i].name) != 0)
        i++;
    if (i == OPTION_COUNT || !parse(&sg_option_table[i], value, &number)) {
        complain(model);
        return;
    }
    if (model->is_locked && !model->is_in_file &&
        !model_is_as_strong(&sg_option_table[i], number, model->floor[i])) {
        complain(model);
        return;
    }
    model->values[i] = number;
    model->is_set[i] = true;
}

static bool section_applies(struct options_model *model, const char *line)
{
    const char *close = strchr(line, ']');
    struct part rest, name;

    if (close != NULL)
        copy_trimmed(&rest, close + 1, line + strlen(line));
    if (close == NULL || (rest.bytes[0] != '\0' && rest.bytes[0] != '#') || close - line < 5 ||
        strncmp(line, "[exe:", 5) != 0) {
        complain(model);
        return false;
    }
    copy(&name, line + 5, close);
    if (model->program == NULL)
        return false;
    if (strchr(name.bytes, '/') != NULL)
        return strcmp(name.bytes, model->program) == 0;
    return strcmp(name.bytes, strrchr(model->program, '/') + 1) == 0;
}

static void read_line(struct options_model *model, const char *line)
{
    struct part whole, name, value;
    const char *equals;

    copy_trimmed(&whole, line, end_at(line, '#'));
    if (whole.bytes[0] == '\0')
        return;
    equals = strchr(whole.bytes, '=');
    if (equals == NULL) {
        complain(model);
        return;
    }
    copy_trimmed(&name, whole.bytes, equals);
    copy_trimmed(&value, equals + 1, equals + strlen(equals));
    set(model, name.bytes, value.bytes);
}

void model_file(struct options_model *model, const char *text, bool problem)
{
    bool applies = true;
    struct part line;

    model->mistakes = 0;
    model->is_in_file = true;
    if (problem) {
        complain(model);
        return;
    }
    while (*text != '\0') {
        const char *end = end_at(text, '\n');

        copy_trimmed(&line, text, end);
        if (line.bytes[0] == '[')
            applies = section_applies(model, line.bytes);
        else if (applies)
            read_line(model, line.bytes);
        text = *end == '\0' ? end : end + 1;
    }
}

void model_end_of_files(struct options_model *model)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        model->floor[i] = settled(model, i);
    model->is_in_file = false;
}

/* "report=fd:5" has the separator in it. */
static const char *end_of_entry(const char *text)
{
    const char *end = end_at(text, ':');
    const char *next_end;

    if (*end == '\0' || end - text < 3 || strncmp(end - 3, "=fd", 3) != 0)
        return end;
    next_end = end_at(end + 1, ':');
    return memchr(end + 1, '=', (size_t)(next_end - end - 1)) != NULL ? end : next_end;
}

void model_text(struct options_model *model, const char *text)
{
    struct part entry, name;

    model->mistakes = 0;
    while (*text != '\0') {
        const char *end = end_of_entry(text);

        copy(&entry, text, end);
        text = *end == '\0' ? end : end + 1;
        if (entry.bytes[0] == '\0')
            continue;
        const char *equals = end_at(entry.bytes, '=');
        copy(&name, entry.bytes, equals);
        set(model, name.bytes, *equals == '\0' ? "" : equals + 1);
    }
}

/* Profiles of the debug library have no effect here, and weaken no lock. */
static void choose_profile(struct options_model *model)
{
    uint64_t *profile = &model->values[OPTION_INDEX(profile)];
    uint64_t *floor = &model->floor[OPTION_INDEX(profile)];

    if (model->is_set[OPTION_INDEX(profile)] && *profile >= PROFILE_COUNT) {
        model->lines++; /* told, however many there were */
        *profile = model->is_locked && *floor == PROFILE_STRICT ? PROFILE_STRICT : PROFILE_HARDENED;
    }
    if (*floor >= PROFILE_COUNT)
        *floor = PROFILE_HARDENED;
}

void model_end(struct options_model *model)
{
    uint64_t values[OPTION_COUNT];

    choose_profile(model);

    for (size_t i = 0; i < OPTION_COUNT; i++)
        values[i] = settled(model, i);
    memcpy(model->values, values, sizeof(values));
}
