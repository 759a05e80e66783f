#include "options_state.h"

#include "report.h"

#define MESSAGE_BYTES 384

void sg_options_say_quoted(struct text *text, struct word word)
{
    enum { QUOTED_BYTES_MOST = 64 };

    sg_text_string(text, "'");
    for (size_t i = 0; i < word.length && i < QUOTED_BYTES_MOST; i++) {
        bool is_plain = word.bytes[i] >= ' ' && word.bytes[i] <= '~';

        sg_text_bytes(text, is_plain ? &word.bytes[i] : "?", 1);
    }
    sg_text_string(text, word.length > QUOTED_BYTES_MOST ? "...'" : "'");
}

void sg_options_complain(struct options_state *state, const struct text *line)
{
    char buffer[MESSAGE_BYTES];
    struct text place = sg_text_begin(buffer, sizeof(buffer));

    if (++state->mistake_count > MISTAKES_MOST)
        return;
    sg_options_say_origin(&place, state, &state->here);
    sg_report_notice(place.bytes, ": ", line->bytes);
    if (state->mistake_count == MISTAKES_MOST)
        sg_report_notice(place.bytes, ": further mistakes are not told", "");
}

static void complain_of_name(struct options_state *state, struct word name)
{
    char buffer[MESSAGE_BYTES];
    struct text text = sg_text_begin(buffer, sizeof(buffer));
    const struct option *nearest = sg_option_nearest(name);

    sg_text_string(&text, "unknown option ");
    sg_options_say_quoted(&text, name);
    if (nearest != NULL) {
        sg_text_string(&text, ", did you mean '");
        sg_text_string(&text, nearest->name);
        sg_text_string(&text, "'?");
    }
    sg_options_complain(state, &text);
}

static void complain_of_value(struct options_state *state, const struct option *option,
                              struct word value)
{
    char buffer[MESSAGE_BYTES];
    struct text text = sg_text_begin(buffer, sizeof(buffer));
    bool is_number = option->kind == KIND_NUMBER;

    sg_text_string(&text, "option '");
    sg_text_string(&text, option->name);
    sg_text_string(&text, "': ");
    sg_options_say_quoted(&text, value);
    sg_text_string(&text, is_number ? " is not a number from " : " is not one of ");
    sg_option_say_range(&text, option);
    sg_text_string(&text, is_number ? " (K, M or G may follow)" : "");
    sg_options_complain(state, &text);
}

static void complain_of_lock(struct options_state *state, const struct option *option,
                             uint64_t value)
{
    char buffer[MESSAGE_BYTES];
    struct text text = sg_text_begin(buffer, sizeof(buffer));
    uint64_t floor = state->floor.each[option - sg_option_table];

    sg_text_string(&text, option->name);
    sg_text_string(&text, "=");
    sg_option_say_value(&text, option, value);
    sg_text_string(&text, " is refused, it is ");
    sg_text_string(&text, option->stronger == STRONGER_SAME ? "not " : "weaker than ");
    sg_option_say_value(&text, option, floor);
    sg_text_string(&text, ", locked by ");
    sg_options_say_origin(&text, state, &state->lock);
    sg_options_complain(state, &text);
}

/* `lock` and `help`, which are no settings. */
static void set_special(struct options_state *state, struct word name, struct word value)
{
    bool is_lock = word_is(name, "lock");
    bool is_file = state->here.kind == ORIGIN_FILE;
    bool is_on = true;
    char buffer[MESSAGE_BYTES];
    struct text text = sg_text_begin(buffer, sizeof(buffer));

    sg_text_string(&text, is_lock ? "option 'lock'" : "option 'help'");
    if (is_lock != is_file) {
        sg_text_string(&text, is_lock ? " counts in files only" : " does not count in files");
        sg_options_complain(state, &text);
    } else if (!sg_switch_parse(value, &is_on) && (is_lock || value.length > 0)) {
        sg_text_string(&text, ": ");
        sg_options_say_quoted(&text, value);
        sg_text_string(&text, " is not one of 0|1");
        sg_options_complain(state, &text);
    } else if (is_lock) {
        state->lock = is_on ? state->here : (struct origin){.kind = ORIGIN_PROFILE};
    } else {
        state->wants_help = is_on;
    }
}

static bool is_refused(const struct options_state *state, const struct option *option,
                       uint64_t value)
{
    if (state->lock.kind != ORIGIN_FILE || state->here.kind == ORIGIN_FILE)
        return false;
    return !sg_option_is_as_strong(option, value, state->floor.each[option - sg_option_table]);
}

void sg_options_set(struct options_state *state, struct word name, struct word value)
{
    const struct option *option = sg_option_find(name);
    uint64_t number;

    if (word_is(name, "lock") || word_is(name, "help")) {
        set_special(state, name, value);
    } else if (option == NULL) {
        complain_of_name(state, name);
    } else if (!sg_option_parse(option, value, &number)) {
        complain_of_value(state, option, value);
    } else if (is_refused(state, option, number)) {
        complain_of_lock(state, option, number);
    } else {
        state->values.each[option - sg_option_table] = number;
        state->origins[option - sg_option_table] = state->here;
    }
}

/* The profile is the first option, and its row says the same whatever the profile is: so the
 * others see the right one. */
static_assert(OPTION_INDEX(profile) == 0, "the profile is settled before what it sets");

void sg_options_settle(const struct options_state *state, union option_values *values)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        uint64_t profile = values->named.profile;

        /* Those of the debug library set what `hardened` does; that library changes the rest. */
        if (state->origins[i].kind == ORIGIN_PROFILE)
            values->each[i] =
                sg_option_table[i].profiles[profile < PROFILE_COUNT ? profile : PROFILE_HARDENED];
    }
}
