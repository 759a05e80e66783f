#include "option_table.h"

#define OPTION(name, kind, stronger, fast, hardened, strict, min, max, choices, help)              \
    static_assert((fast) >= (min) && (fast) <= (max), #name ": fast is out of range");             \
    static_assert((hardened) >= (min) && (hardened) <= (max), #name ": hardened out of range");    \
    static_assert((strict) >= (min) && (strict) <= (max), #name ": strict is out of range");
#include "options.def"
#undef OPTION

const struct option sg_option_table[OPTION_COUNT] = {
#define OPTION(name_, kind_, stronger_, fast, hardened, strict, min_, max_, choices_, help_)       \
    {.name = #name_,                                                                               \
     .choices = (choices_),                                                                        \
     .help = (help_),                                                                              \
     .kind = KIND_##kind_,                                                                         \
     .stronger = STRONGER_##stronger_,                                                             \
     .min = (min_),                                                                                \
     .max = (max_),                                                                                \
     .profiles = {(fast), (hardened), (strict)}},
#include "options.def"
#undef OPTION
};

const struct option *sg_option_find(struct word name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (word_is(name, sg_option_table[i].name))
            return &sg_option_table[i];
    return NULL;
}

#define NAME_BYTES 64

/* Edits (insert, remove, replace one letter) between two words: Levenshtein 1966. */
static size_t distance(struct word word, const char *name)
{
    uint8_t row[NAME_BYTES];
    size_t name_length = __builtin_strlen(name);

    if (word.length >= NAME_BYTES || name_length >= NAME_BYTES)
        return NAME_BYTES;
    for (size_t j = 0; j <= name_length; j++)
        row[j] = (uint8_t)j;
    for (size_t i = 1; i <= word.length; i++) {
        size_t diagonal = row[0];

        row[0] = (uint8_t)i;
        for (size_t j = 1; j <= name_length; j++) {
            size_t replaced = diagonal + (word.bytes[i - 1] != name[j - 1]);
            size_t shorter = row[j] < row[j - 1] ? row[j] : row[j - 1];

            diagonal = row[j];
            row[j] = (uint8_t)(replaced < shorter + 1 ? replaced : shorter + 1);
        }
    }
    return row[name_length];
}

const struct option *sg_option_nearest(struct word name)
{
    const struct option *nearest = NULL;
    size_t least = NAME_BYTES;

    for (size_t i = 0; i < OPTION_COUNT; i++) {
        size_t edits = distance(name, sg_option_table[i].name);

        if (edits < least) {
            least = edits;
            nearest = &sg_option_table[i];
        }
    }
    if (nearest == NULL || least * 3 > __builtin_strlen(nearest->name))
        return NULL;
    return nearest;
}

bool sg_option_is_as_strong(const struct option *option, uint64_t value, uint64_t floor)
{
    switch (option->stronger) {
    case STRONGER_SAME:
        return value == floor;
    case STRONGER_HIGHER:
        return value >= floor;
    case STRONGER_LOWER:
        return value <= floor;
    case STRONGER_MEAN:
        return floor == 0 || (value != 0 && value <= floor);
    case STRONGER_FREE:
    default:
        return true;
    }
}
