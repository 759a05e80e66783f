#include "bug_rules.h"

static bool is_operator_delete(const char *function)
{
    return sg_bug_is(function, "operator delete") || sg_bug_is(function, "delete");
}

static bool is_made_by_new(const struct bug *bug)
{
    const char *maker = bug->block.made.function;

    return sg_bug_is(maker, "new") || sg_bug_is(maker, "operator new");
}

static bool is_made_by_new_array(const struct bug *bug)
{
    const char *maker = bug->block.made.function;

    return sg_bug_is(maker, "new[]") || sg_bug_is(maker, "operator new[]");
}

/* A delete that states too few bytes was compiled for a smaller type than the one that was made. */
bool sg_rule_base_class(struct text *text, const struct bug *bug)
{
    if (bug->kind != BUG_SIZE || !is_operator_delete(bug->function) || !is_made_by_new(bug) ||
        bug->stated >= bug->block.bytes)
        return false;
    sg_text_string(text, "delete through a base class without a virtual destructor");
    return true;
}

/* In front of an array of objects with destructors their number is kept, in eight bytes. */
bool sg_rule_array_count(struct text *text, const struct bug *bug)
{
    if (bug->kind != BUG_INTERIOR || bug->access_offset != 8 || !is_made_by_new_array(bug) ||
        !(is_operator_delete(bug->function) || sg_bug_is(bug->function, "free")))
        return false;
    sg_text_string(text, "an array of objects with destructors: new[] keeps their number in its"
                         " first 8 bytes, so only delete[] can end it");
    return true;
}

bool sg_bug_say_likely(struct text *text, const struct bug *bug)
{
    /* The most telling first. */
    static bool (*const rules[])(struct text *, const struct bug *) = {
        sg_rule_missing_nul, sg_rule_long_text,   sg_rule_below_zero, sg_rule_one_too_many,
        sg_rule_pointer,     sg_rule_run,         sg_rule_two_frees,  sg_rule_used_after,
        sg_rule_base_class,  sg_rule_array_count,
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i](text, bug))
            return true;
    return false;
}
