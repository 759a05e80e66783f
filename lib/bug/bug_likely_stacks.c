/* Rules that compare who did what. Only functions that are known by name are compared. */
#include "bug_rules.h"

static bool is_named(const struct bug_frame *frame)
{
    return frame->function != NULL && frame->function[0] != '\0';
}

static void say_name(struct text *text, const struct bug_frame *frame)
{
    sg_bug_say_head(text, frame->function, 36);
}

static uint32_t frames_of(const struct bug_stack *stack)
{
    return stack->count < BUG_FRAMES ? stack->count : BUG_FRAMES;
}

static bool say_lines(struct text *text, const struct bug_frame *first,
                      const struct bug_frame *second)
{
    if (first->line == 0 || second->line == 0 || first->line == second->line)
        return false;
    say_name(text, first);
    sg_text_string(text, " frees it twice: in line ");
    sg_text_decimal(text, first->line);
    sg_text_string(text, " and in line ");
    sg_text_decimal(text, second->line);
    return true;
}

/* A wrapper that calls free for both of them is no owner: its frames are equal. */
bool sg_rule_two_frees(struct text *text, const struct bug *bug)
{
    const struct bug_stack *second = &bug->at, *first = &bug->block.ended.stack;
    uint32_t count = frames_of(first) < frames_of(second) ? frames_of(first) : frames_of(second);
    uint32_t i = 0;

    if (bug->kind != BUG_DOUBLE_FREE)
        return false;
    while (i < count && first->frames[i].pc == second->frames[i].pc && is_named(&first->frames[i]))
        i++;
    if (i == count || !is_named(&first->frames[i]) || !is_named(&second->frames[i]))
        return false;
    if (sg_bug_is(first->frames[i].function, second->frames[i].function))
        return say_lines(text, &first->frames[i], &second->frames[i]);
    sg_text_string(text, "two owners: set the pointer to NULL after the free in ");
    say_name(text, &first->frames[i]);
    return true;
}

/* How many of the outermost frames are the same calls. 0 as well if a stack may be cut off. */
static uint32_t common_frames(const struct bug_stack *one, const struct bug_stack *other)
{
    uint32_t count = 0;

    if (one->count >= BUG_FRAMES || other->count >= BUG_FRAMES)
        return 0;
    while (count < one->count && count < other->count &&
           one->frames[one->count - 1 - count].pc == other->frames[other->count - 1 - count].pc)
        count++;
    return count;
}

static bool is_use_of_freed(const struct bug *bug)
{
    return bug->kind == BUG_FREED_FAULT && bug->at.count > 0 && bug->block.ended.stack.count > 1;
}

/* One function that calls what frees, and in a later line still uses the block. */
bool sg_rule_used_after(struct text *text, const struct bug *bug)
{
    const struct bug_stack *at = &bug->at, *freed = &bug->block.ended.stack;
    uint32_t common = is_use_of_freed(bug) ? common_frames(at, freed) : 0;

    if (!is_use_of_freed(bug) || bug->block.ended.thread != bug->thread ||
        at->count >= BUG_FRAMES || freed->count >= BUG_FRAMES || common >= at->count ||
        common + 1 >= freed->count)
        return false;

    const struct bug_frame *user = &at->frames[at->count - 1 - common];
    const struct bug_frame *caller = &freed->frames[freed->count - 1 - common];

    if (!is_named(user) || !sg_bug_is(user->function, caller->function) || !is_named(caller - 1) ||
        user->line == 0 || caller->line == 0 || user->line <= caller->line)
        return false;
    say_name(text, user);
    sg_text_string(text, " calls ");
    say_name(text, caller - 1);
    sg_text_string(text, ", which frees it, in line ");
    sg_text_decimal(text, caller->line);
    sg_text_string(text, ", and uses it in line ");
    sg_text_decimal(text, user->line);
    return true;
}
