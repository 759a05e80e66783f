#include "option_table.h"

#define REPORT_FD "fd:"

/* Digits and nothing else; false beyond 64 bits. */
static bool parse_digits(struct word text, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (text.length == 0)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.bytes[i] - '0'), &value))
            return false;
    }
    *ret_value = value;
    return true;
}

static bool parse_number(struct word text, uint64_t *ret_value)
{
    static const char units[] = {'K', 'M', 'G'};
    unsigned shift = 0;

    for (unsigned i = 0; i < sizeof(units) && text.length > 0; i++)
        if (text.bytes[text.length - 1] == units[i])
            shift = 10 * (i + 1);
    if (shift != 0)
        text.length--;

    uint64_t value;
    if (!parse_digits(text, &value) || __builtin_mul_overflow(value, (uint64_t)1 << shift, &value))
        return false;
    *ret_value = value;
    return true;
}

bool sg_switch_parse(struct word text, bool *ret_value)
{
    bool is_on = word_is(text, "1") || word_is(text, "on") || word_is(text, "yes");

    if (!is_on && !word_is(text, "0") && !word_is(text, "off") && !word_is(text, "no"))
        return false;
    *ret_value = is_on;
    return true;
}

/* The first of the choices from `rest` on; `rest` moves behind it. */
static struct word next_choice(struct word *rest)
{
    return word_cut(rest, word_find(*rest, '|'));
}

static bool parse_choice(const struct option *option, struct word text, uint64_t *ret_value)
{
    struct word rest = word_of(option->choices);

    for (uint64_t i = 0; i <= option->max; i++) {
        struct word choice = next_choice(&rest);

        if (choice.length == text.length &&
            __builtin_memcmp(choice.bytes, text.bytes, text.length) == 0) {
            *ret_value = i;
            return true;
        }
    }
    return false;
}

static bool parse_report(struct word text, uint64_t *ret_value)
{
    uint64_t descriptor;

    if (word_is(text, "stderr")) {
        *ret_value = REPORT_TO_STDERR;
        return true;
    }
    if (word_is(text, "journal")) {
        *ret_value = REPORT_TO_JOURNAL;
        return true;
    }
    if (!word_begins(text, REPORT_FD) ||
        !parse_digits(word_skip(text, sizeof(REPORT_FD) - 1), &descriptor))
        return false;
    return !__builtin_add_overflow(descriptor, (uint64_t)REPORT_TO_FD, ret_value);
}

static bool parse(const struct option *option, struct word text, uint64_t *ret_value)
{
    bool is_on;

    switch (option->kind) {
    case KIND_SWITCH:
        if (!sg_switch_parse(text, &is_on))
            return false;
        *ret_value = is_on;
        return true;
    case KIND_CHOICE:
        return parse_choice(option, text, ret_value);
    case KIND_REPORT:
        return parse_report(text, ret_value);
    case KIND_NUMBER:
    default:
        return parse_number(text, ret_value);
    }
}

bool sg_option_parse(const struct option *option, struct word text, uint64_t *ret_value)
{
    uint64_t value;

    if (!parse(option, text, &value) || value < option->min || value > option->max)
        return false;
    *ret_value = value;
    return true;
}

void sg_option_say_value(struct text *text, const struct option *option, uint64_t value)
{
    struct word rest = word_of(option->choices);
    struct word choice = {"", 0};

    if (option->kind == KIND_NUMBER || option->kind == KIND_SWITCH) {
        sg_text_decimal(text, value);
    } else if (option->kind == KIND_REPORT && value >= REPORT_TO_FD) {
        sg_text_string(text, REPORT_FD);
        sg_text_decimal(text, value - REPORT_TO_FD);
    } else {
        for (uint64_t i = 0; i <= value; i++)
            choice = next_choice(&rest);
        sg_text_bytes(text, choice.bytes, choice.length);
    }
}

void sg_option_say_range(struct text *text, const struct option *option)
{
    if (option->kind != KIND_NUMBER) {
        sg_text_string(text, option->choices);
        return;
    }
    sg_text_decimal(text, option->min);
    sg_text_string(text, " to ");
    sg_text_decimal(text, option->max);
}
