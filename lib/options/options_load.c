#include "format.h"
#include "options.h"
#include "os_file.h"
#include "report.h"

#define VARIABLE "SPANGUARD_OPTIONS"

struct option {
    const char *name;
    const char *help;
    _Atomic uint64_t *value;
    uint64_t min;
    uint64_t max;
};

static const struct option options[] = {
#define OPTION(name_, default_, min_, max_, help_)                                                 \
    {.name = #name_, .help = (help_), .value = &sg_options.name_, .min = (min_), .max = (max_)},
#include "options.def"
#undef OPTION
};

#define OPTION_COUNT (sizeof(options) / sizeof(options[0]))

static bool is_set[OPTION_COUNT]; /* by the environment; written once at start */

struct word {
    const char *bytes;
    size_t length;
};

static bool word_is(struct word word, const char *string)
{
    return __builtin_strlen(string) == word.length &&
           __builtin_memcmp(word.bytes, string, word.length) == 0;
}

/* Number with an optional unit; false if it is anything else or beyond 64 bits. */
static bool parse_number(struct word word, uint64_t *ret_value)
{
    uint64_t value = 0;
    size_t i = 0;

    for (; i < word.length && word.bytes[i] >= '0' && word.bytes[i] <= '9'; i++)
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(word.bytes[i] - '0'), &value))
            return false;
    if (i == 0)
        return false;
    if (i < word.length) {
        const char *units = "KMG";
        const char *unit = __builtin_strchr(units, word.bytes[i]);

        if (unit == NULL || i + 1 != word.length ||
            __builtin_mul_overflow(value, (uint64_t)1 << (10 * (unit - units + 1)), &value))
            return false;
    }
    *ret_value = value;
    return true;
}

#define NAME_BYTES 64

/* Edits (insert, remove, replace one letter) between two words: Levenshtein 1966. */
static size_t distance(struct word word, const char *name)
{
    size_t row[NAME_BYTES];
    size_t name_length = __builtin_strlen(name);

    if (word.length >= NAME_BYTES || name_length >= NAME_BYTES)
        return NAME_BYTES;
    for (size_t j = 0; j <= name_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= word.length; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= name_length; j++) {
            size_t replaced = diagonal + (word.bytes[i - 1] != name[j - 1]);

            diagonal = row[j];
            row[j] = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = replaced < row[j] ? replaced : row[j];
        }
    }
    return row[name_length];
}

/* What stands in the environment goes to a terminal or a log: no control characters, no second
 * line, no more than anybody would read. */
#define QUOTED_BYTES_MAX 64u

static void say_quoted(struct text *text, struct word word)
{
    for (size_t i = 0; i < word.length && i < QUOTED_BYTES_MAX; i++) {
        bool is_plain = word.bytes[i] >= ' ' && word.bytes[i] <= '~';

        sg_text_bytes(text, is_plain ? &word.bytes[i] : "?", 1);
    }
    if (word.length > QUOTED_BYTES_MAX)
        sg_text_string(text, "...");
}

static void complain_of_name(struct word name)
{
    char line[256];
    struct text text = sg_text_begin(line, sizeof(line));
    const struct option *nearest = &options[0];

    for (size_t i = 1; i < OPTION_COUNT; i++)
        if (distance(name, options[i].name) < distance(name, nearest->name))
            nearest = &options[i];
    say_quoted(&text, name);
    sg_text_string(&text, "' in " VARIABLE);
    if (distance(name, nearest->name) * 3 <= __builtin_strlen(nearest->name)) {
        sg_text_string(&text, ", did you mean '");
        sg_text_string(&text, nearest->name);
        sg_text_string(&text, "'?");
    }
    sg_report_notice("unknown option '", line, "");
}

static void complain_of_value(const struct option *option, struct word value)
{
    char line[256];
    struct text text = sg_text_begin(line, sizeof(line));

    sg_text_string(&text, option->name);
    sg_text_string(&text, "' in " VARIABLE ": '");
    say_quoted(&text, value);
    sg_text_string(&text, "' is not a number from ");
    sg_text_decimal(&text, option->min);
    sg_text_string(&text, " to ");
    sg_text_decimal(&text, option->max);
    sg_report_notice("option '", line, " (K, M or G may follow)");
}

static void print_help(void)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char line[512];
        struct text text = sg_text_begin(line, sizeof(line));

        sg_text_string(&text, options[i].name);
        sg_text_string(&text, "=");
        sg_text_decimal(&text, load_relaxed(options[i].value));
        sg_text_string(&text, is_set[i] ? "  (from " VARIABLE ")  " : "  (built-in)  ");
        sg_text_string(&text, options[i].help);
        sg_text_string(&text, "\n");
        sg_os_write(OS_STDERR, text.bytes, text.length);
    }
}

static void apply(struct word name, struct word value, bool *ret_help)
{
    uint64_t number;

    if (word_is(name, "help")) {
        *ret_help = !word_is(value, "0");
        return;
    }
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (!word_is(name, options[i].name))
            continue;
        if (!parse_number(value, &number) || number < options[i].min || number > options[i].max) {
            complain_of_value(&options[i], value);
            return;
        }
        store_relaxed(options[i].value, number);
        is_set[i] = true;
        return;
    }
    complain_of_name(name);
}

/* Cuts `length` bytes off the front of `rest`, and the separator behind them. */
static struct word cut(const char **rest, size_t length)
{
    struct word word = {*rest, length};

    *rest += length;
    if (**rest != '\0')
        (*rest)++;
    return word;
}

void sg_options_apply(const char *text)
{
    bool help = false;

    while (*text != '\0') {
        size_t length = __builtin_strcspn(text, ":");
        struct word entry = cut(&text, length);
        struct word name = entry;
        struct word value = {"", 0};
        const char *equals = __builtin_memchr(entry.bytes, '=', entry.length);

        if (entry.length == 0)
            continue;
        if (equals != NULL) {
            name.length = (size_t)(equals - entry.bytes);
            value = (struct word){equals + 1, entry.length - name.length - 1};
        }
        apply(name, value, &help);
    }
    if (help)
        print_help();
}

void sg_options_load(void)
{
    const char *text = sg_os_environment(VARIABLE);

    if (text != NULL)
        sg_options_apply(text);
}
