#include "options_state.h"
#include "os_file.h"

#define VARIABLE "SPANGUARD_OPTIONS"

void sg_options_say_origin(struct text *text, const struct options_state *state,
                           const struct origin *origin)
{
    switch (origin->kind) {
    case ORIGIN_FILE:
        sg_options_say_file(text, state, origin->file);
        if (origin->line != 0) {
            sg_text_string(text, ":");
            sg_text_decimal(text, origin->line);
        }
        return;
    case ORIGIN_PROGRAM:
        sg_text_string(text, "spanguard_options of the program");
        return;
    case ORIGIN_ENVIRONMENT:
        sg_text_string(text, VARIABLE);
        return;
    case ORIGIN_PROFILE:
    default:
        sg_text_string(text, "built-in");
        return;
    }
}

static bool differs_by_profile(const struct option *option)
{
    for (size_t i = 1; i < PROFILE_COUNT; i++)
        if (option->profiles[i] != option->profiles[0])
            return true;
    return false;
}

static void print_option(const struct options_state *state, size_t index)
{
    const struct option *option = &sg_option_table[index];
    const struct origin *origin = &state->origins[index];
    const struct option *profile = &sg_option_table[OPTION_INDEX(profile)];
    char line[768];
    struct text text = sg_text_begin(line, sizeof(line) - 1);

    sg_text_string(&text, option->name);
    sg_text_string(&text, "=");
    sg_option_say_value(&text, option, state->values.each[index]);
    sg_text_string(&text, "  (");
    if (origin->kind == ORIGIN_PROFILE && differs_by_profile(option)) {
        sg_text_string(&text, "profile ");
        sg_option_say_value(&text, profile, state->values.named.profile);
    } else {
        sg_text_string(&text, origin->kind == ORIGIN_PROFILE ? "" : "from ");
        sg_options_say_origin(&text, state, origin);
    }
    sg_text_string(&text, ")  [");
    sg_option_say_range(&text, option);
    sg_text_string(&text, "]  ");
    sg_text_string(&text, option->help);
    text.bytes[text.length++] = '\n'; /* the last byte was kept back for it */
    sg_os_write(OS_STDERR, text.bytes, text.length);
}

static void set_source(struct options_state *state, enum origin_kind kind, const char *string)
{
    state->here = (struct origin){.kind = kind};
    state->mistake_count = 0;
    if (string != NULL)
        sg_options_set_text(state, string);
}

/* What a profile of the other library becomes: no weaker one than a locked file asks for. */
static uint64_t profile_instead(const struct options_state *state)
{
    bool is_strict = state->lock.kind != ORIGIN_PROFILE &&
                     state->floor.named.profile == PROFILE_STRICT;

    return is_strict ? PROFILE_STRICT : PROFILE_HARDENED;
}

/* Each library has profiles of its own. */
static void choose_profile(struct options_state *state)
{
    uint64_t *profile = &state->values.named.profile;
    struct text line = sg_text_begin((char[64]){0}, 64);

    if (sg_options_of_debug && *profile < PROFILE_COUNT)
        *profile = PROFILE_DEBUG;
    if (sg_options_of_debug || *profile < PROFILE_COUNT)
        return;
    sg_text_string(&line, "this profile needs libspanguard-debug.so");
    state->here = state->origins[OPTION_INDEX(profile)];
    state->mistake_count = 0; /* told however many there were */
    sg_options_complain(state, &line);
    *profile = profile_instead(state);
}

static void commit(struct options_state *state)
{
    choose_profile(state);
    sg_options_settle(state, &state->values);
    if (sg_options_of_debug)
        sg_options_of_debug(&state->values.named);
    sg_options = state->values.named;
    for (size_t i = 0; i < OPTION_COUNT && state->wants_help; i++)
        print_option(state, i);
}

static struct options_state begin(const struct options_sources *sources)
{
    struct options_state state = {.sources = sources};

    sg_options_settle(&state, &state.values);
    return state;
}

void sg_options_load_from(const struct options_sources *sources)
{
    struct options_state state = begin(sources);

    sg_options_read_files(&state);
    state.floor = state.values;
    sg_options_settle(&state, &state.floor);
    if (!sources->is_secure) {
        set_source(&state, ORIGIN_PROGRAM, sources->program);
        set_source(&state, ORIGIN_ENVIRONMENT, sources->environment);
    }
    commit(&state);
}

void sg_options_load(void)
{
    const struct options_sources sources = {
        .folder = "/etc",
        .owner = 0,
        .is_secure = sg_os_is_secure(),
        .program = sg_os_program_options(),
        .environment = sg_os_environment(VARIABLE),
    };

    sg_options_load_from(&sources);
}

void sg_options_apply(const char *text)
{
    const struct options_sources sources = {.folder = ""};
    struct options_state state = {.sources = &sources, .values.named = sg_options};

    set_source(&state, ORIGIN_ENVIRONMENT, text);
    if (state.origins[OPTION_INDEX(profile)].kind == ORIGIN_PROFILE)
        for (size_t i = 0; i < OPTION_COUNT; i++)
            state.origins[i].kind = ORIGIN_ENVIRONMENT; /* nobody's: what held stays */
    commit(&state);
}
