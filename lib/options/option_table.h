/* What is known of each option: options.def as data. Tells what a value means, holds none. */
#ifndef SG_OPTIONS_OPTION_TABLE_H
#define SG_OPTIONS_OPTION_TABLE_H

#include "format.h"
#include "options.h"
#include "word.h"

enum option_kind { KIND_NUMBER, KIND_SWITCH, KIND_CHOICE, KIND_REPORT };
enum option_stronger {
    STRONGER_FREE,
    STRONGER_SAME,
    STRONGER_HIGHER,
    STRONGER_LOWER,
    STRONGER_MEAN,
};

struct option {
    const char *name;
    const char *choices;
    const char *help;
    enum option_kind kind;
    enum option_stronger stronger;
    uint64_t min;
    uint64_t max;
    uint64_t profiles[PROFILE_COUNT];
};

#define OPTION_COUNT (sizeof(struct options) / sizeof(uint64_t))
#define OPTION_INDEX(name) (offsetof(struct options, name) / sizeof(uint64_t))

extern HIDDEN const struct option sg_option_table[OPTION_COUNT];

/* The same values, by name and by index. */
union option_values {
    struct options named;
    uint64_t each[OPTION_COUNT];
};

/* The option of that name, or NULL. */
HIDDEN MUST_USE const struct option *sg_option_find(struct word name);

/* The option that `name` may have been meant for, or NULL if it is like none. */
HIDDEN MUST_USE const struct option *sg_option_nearest(struct word name);

/* Whether `value` is at least as strong as `floor`. */
HIDDEN MUST_USE bool sg_option_is_as_strong(const struct option *option, uint64_t value,
                                            uint64_t floor);

/* False if `text` is no value of the option, or one out of its range. */
HIDDEN MUST_USE bool sg_option_parse(const struct option *option, struct word text,
                                     uint64_t *ret_value);
HIDDEN MUST_USE bool sg_switch_parse(struct word text, bool *ret_value);

/* As sg_option_parse() would read it again. */
HIDDEN void sg_option_say_value(struct text *text, const struct option *option, uint64_t value);

/* "0 to 128", or the choices. */
HIDDEN void sg_option_say_range(struct text *text, const struct option *option);

#endif
