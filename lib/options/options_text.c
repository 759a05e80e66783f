/* The two forms in which settings are written: one line for the environment, many for files. */
#include "options_state.h"
#include "os_file.h"

/* The value `fd:N` of `report` has the separator in it: what follows "=fd:" and is no entry of its
 * own belongs to it. */
static size_t entry_length(struct word rest)
{
    static const char ending[] = "=fd";
    const size_t ending_bytes = sizeof(ending) - 1;
    size_t length = word_find(rest, ':');

    if (length < ending_bytes || length == rest.length ||
        __builtin_memcmp(rest.bytes + length - ending_bytes, ending, ending_bytes) != 0)
        return length;

    struct word next = word_skip(rest, length + 1);
    next.length = word_find(next, ':');
    return word_find(next, '=') < next.length ? length : length + 1 + next.length;
}

static void set_entry(struct options_state *state, struct word entry)
{
    size_t equals = word_find(entry, '=');
    struct word value = {"", 0};
    struct word name = entry;

    if (equals < entry.length) {
        name.length = equals;
        value = word_skip(entry, equals + 1);
    }
    sg_options_set(state, name, value);
}

void sg_options_set_text(struct options_state *state, const char *string)
{
    struct word rest = word_of(string);

    while (rest.length > 0) {
        struct word entry = word_cut(&rest, entry_length(rest));

        if (entry.length > 0)
            set_entry(state, entry);
    }
}

static void complain_of_line(struct options_state *state, const char *what, struct word line)
{
    char buffer[192];
    struct text text = sg_text_begin(buffer, sizeof(buffer));

    sg_text_string(&text, what);
    sg_options_say_quoted(&text, line);
    sg_options_complain(state, &text);
}

/* Which lines count, decided by the last section header. */
struct section {
    struct os_path *program; /* known once the first section asks for it */
    bool applies;
};

static struct word last_part(struct word path)
{
    for (size_t i = path.length; i > 0; i--)
        if (path.bytes[i - 1] == '/')
            return word_skip(path, i);
    return path;
}

/* A name without a slash stands for a program in any folder. */
static bool is_program(struct section *section, struct word name)
{
    if (section->program->bytes[0] == '\0' && !sg_os_program_path(section->program))
        return false;

    struct word path = word_of(section->program->bytes);
    if (word_find(name, '/') == name.length)
        path = last_part(path);
    return path.length > 0 && path.length == name.length &&
           __builtin_memcmp(path.bytes, name.bytes, name.length) == 0;
}

/* "[exe:PROGRAM]", and at most a comment behind it. */
static void set_section(struct options_state *state, struct section *section, struct word line)
{
    struct word rest = line;
    struct word title = word_cut(&rest, word_find(line, ']'));

    rest = word_trim(rest);
    section->applies = false;
    if (title.length == line.length || (rest.length > 0 && rest.bytes[0] != '#') ||
        !word_begins(title, "[exe:")) {
        complain_of_line(state, "not a section [exe:PROGRAM]: ", line);
        return;
    }
    section->applies = is_program(section, word_skip(title, sizeof("[exe:") - 1));
}

static void set_line(struct options_state *state, struct section *section, struct word line)
{
    line = word_trim(line);
    if (line.length > 0 && line.bytes[0] == '[') {
        set_section(state, section, line);
        return;
    }
    line.length = word_find(line, '#');
    line = word_trim(line);
    if (line.length == 0 || !section->applies)
        return;

    size_t equals = word_find(line, '=');
    if (equals == line.length) {
        complain_of_line(state, "not 'name = value': ", line);
        return;
    }
    sg_options_set(state, word_trim((struct word){line.bytes, equals}),
                   word_trim(word_skip(line, equals + 1)));
}

void sg_options_set_lines(struct options_state *state, struct word text, struct os_path *scratch)
{
    struct section section = {.program = scratch, .applies = true};

    scratch->bytes[0] = '\0';
    for (uint32_t number = 1; text.length > 0; number++) {
        struct word line = word_cut(&text, word_find(text, '\n'));

        state->here.line = number;
        set_line(state, &section, line);
    }
}
