/* The settings once more, from their documentation: which source says what, who wins, what a lock
 * refuses, how many lines are said about mistakes. */
#ifndef SG_FUZZ_TIERS_OPTIONS_MODEL_H
#define SG_FUZZ_TIERS_OPTIONS_MODEL_H

#include "option_table.h"

struct options_model {
    uint64_t values[OPTION_COUNT];
    bool is_set[OPTION_COUNT];
    uint64_t floor[OPTION_COUNT]; /* after the files */
    bool is_locked;
    bool wants_help;
    bool is_in_file;
    unsigned mistakes;   /* of the source */
    unsigned lines;      /* that are said */
    const char *program; /* path, or NULL: unknown */
};

void model_begin(struct options_model *model, const char *program);

/* Sources in the order in which they count. `problem`: the file is ignored as a whole. */
void model_file(struct options_model *model, const char *text, bool problem);
void model_end_of_files(struct options_model *model);
void model_text(struct options_model *model, const char *text);
void model_end(struct options_model *model);

/* Whether the value is as strong as the floor, by the option's own word. */
bool model_is_as_strong(const struct option *option, uint64_t value, uint64_t floor);

#endif
