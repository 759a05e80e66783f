/* Options while they are read: values, where each came from, what is locked. One such struct lives
 * on the stack of the load; nothing of it remains. */
#ifndef SG_OPTIONS_OPTIONS_STATE_H
#define SG_OPTIONS_OPTIONS_STATE_H

#include "option_table.h"

enum origin_kind {
    ORIGIN_PROFILE, /* nobody set it: the built-in value of the profile */
    ORIGIN_FILE,
    ORIGIN_PROGRAM,
    ORIGIN_ENVIRONMENT,
};

/* File 0 is spanguard.conf, file N the Nth in byte order of spanguard.conf.d. Line 0: all of it. */
#define FILE_IS_FOLDER UINT32_MAX
struct origin {
    enum origin_kind kind;
    uint32_t file;
    uint32_t line;
};

struct options_state {
    const struct options_sources *sources;
    union option_values values;
    union option_values floor; /* what the locked files say */
    struct origin origins[OPTION_COUNT];
    struct origin lock;     /* the entry that locked; ORIGIN_PROFILE: none did */
    struct origin here;     /* of the entry that is being read */
    uint32_t mistake_count; /* in this source */
    bool wants_help;
};

/* One entry, from `state->here`. */
HIDDEN void sg_options_set(struct options_state *state, struct word name, struct word value);

/* Each entry of "name=value:name=value". */
HIDDEN void sg_options_set_text(struct options_state *state, const char *text);

/* In `values`, what nobody set becomes what the profile says. */
HIDDEN void sg_options_settle(const struct options_state *state, union option_values *values);

/* Every line of a file: `name = value`, `# comment`, `[exe:PROGRAM]`. `scratch` is for the path of
 * the program: too much for a small stack. */
struct os_path;
HIDDEN void sg_options_set_lines(struct options_state *state, struct word text,
                                 struct os_path *scratch);

/* The folder's spanguard.conf, then its spanguard.conf.d/?*.conf in byte order. */
HIDDEN void sg_options_read_files(struct options_state *state);

/* Where a file was read: the path of origin.file. */
HIDDEN void sg_options_say_file(struct text *text, const struct options_state *state,
                                uint32_t file);

/* "FILE:LINE", or how the source is called. */
HIDDEN void sg_options_say_origin(struct text *text, const struct options_state *state,
                                  const struct origin *origin);

/* As far as anybody would read it, without control characters: it goes to a terminal or a log. */
HIDDEN void sg_options_say_quoted(struct text *text, struct word word);

/* A line about `state->here`. A source that makes many mistakes is told only so many of them. */
#define MISTAKES_MOST 20u
HIDDEN void sg_options_complain(struct options_state *state, const struct text *line);

#endif
