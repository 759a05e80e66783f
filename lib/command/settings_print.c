/* Options as a table for people, and as JSON for programs. */
#include "settings.h"

#include "escape.h"
#include "options_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct options_sources of_system = {.folder = "/etc", .owner = 0};

struct cell {
    char bytes[320];
};

static struct cell value_cell(const struct option *option, uint64_t value)
{
    struct cell cell;
    struct text text = sg_text_begin(cell.bytes, sizeof(cell.bytes));

    sg_option_say_value(&text, option, value);
    return cell;
}

static struct cell range_cell(const struct option *option)
{
    struct cell cell;
    struct text text = sg_text_begin(cell.bytes, sizeof(cell.bytes));

    sg_option_say_range(&text, option);
    return cell;
}

static struct cell origin_cell(const struct options_state *state, size_t index)
{
    struct cell cell;
    struct text text = sg_text_begin(cell.bytes, sizeof(cell.bytes));

    sg_options_say_origin(&text, state, &state->origins[index]);
    return cell;
}

static struct cell profile_cell(size_t index)
{
    return value_cell(&sg_option_table[OPTION_INDEX(profile)], index);
}

static bool differs(const struct option *option)
{
    for (size_t i = 1; i < PROFILE_COUNT; i++)
        if (option->profiles[i] != option->profiles[0])
            return true;
    return false;
}

/* "65536", or one for each profile: "0 fast, 32 hardened". */
static struct cell defaults_cell(const struct option *option)
{
    struct cell cell = {""};
    size_t length = 0;

    for (size_t i = 0; i < (differs(option) ? PROFILE_COUNT : 1); i++)
        length += (size_t)snprintf(
            cell.bytes + length, sizeof(cell.bytes) - length, "%s%s%s%s", i == 0 ? "" : ", ",
            value_cell(option, option->profiles[i]).bytes, differs(option) ? " " : "",
            differs(option) ? profile_cell(i).bytes : "");
    return cell;
}

static void print_row(const struct options_state *state, size_t index)
{
    const struct option *option = &sg_option_table[index];

    printf("%s=%s  (%s)\n    %s\n    default %s; %s\n", option->name,
           value_cell(option, state->values.each[index]).bytes, origin_cell(state, index).bytes,
           option->help, defaults_cell(option).bytes, range_cell(option).bytes);
}

static void put_field(const char *name, const char *value)
{
    printf(", \"%s\": ", name);
    sg_put_json(stdout, value);
}

static void print_json(const struct options_state *state, size_t index)
{
    static const char *const kinds[] = {"number", "switch", "choice", "report"};
    const struct option *option = &sg_option_table[index];

    printf("  {\"name\": \"%s\"", option->name);
    put_field("type", kinds[option->kind]);
    put_field("value", value_cell(option, state->values.each[index]).bytes);
    put_field("origin", origin_cell(state, index).bytes);
    put_field("range", range_cell(option).bytes);
    printf(", \"defaults\": {");
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        printf("%s\"%s\": ", i == 0 ? "" : ", ", profile_cell(i).bytes);
        sg_put_json(stdout, value_cell(option, option->profiles[i]).bytes);
    }
    printf("}");
    put_field("help", option->help);
    printf("}");
}

static void load(struct options_state *state)
{
    const char *environment = getenv("SPANGUARD_OPTIONS");

    sg_options_settle(state, &state->values);
    sg_options_read_files(state);
    state->floor = state->values;
    sg_options_settle(state, &state->floor);
    state->here = (struct origin){.kind = ORIGIN_ENVIRONMENT};
    if (environment != NULL)
        sg_options_set_text(state, environment);
    sg_options_settle(state, &state->values);
}

void sg_settings_print(const char *name, bool is_json)
{
    struct options_state state = {.sources = &of_system};
    bool is_first = true;

    load(&state);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (name != NULL && strcmp(name, sg_option_table[i].name) != 0)
            continue;
        if (is_json)
            printf("%s", is_first ? "[\n" : ",\n");
        is_first = false;
        if (is_json)
            print_json(&state, i);
        else
            print_row(&state, i);
    }
    if (is_json)
        printf("\n]\n");
}
