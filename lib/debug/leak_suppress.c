/* Suppressions as LeakSanitizer reads them: lines `leak:PATTERN`, * for any bytes, ^ and $ for the
 * ends of the name; else a pattern may begin and end anywhere in it. Other lines say nothing. */
#include "leak_state.h"

#include "bug.h"

static const char prefix[] = "leak:";

struct pattern {
    const char *at;
    const char *end;
};

/* The next line that is a suppression; false at the end. `*text` moves on. */
static bool next_pattern(const char **text, struct pattern *ret_pattern)
{
    while (**text != '\0') {
        const char *line = *text;
        const char *end = line;

        while (*end != '\0' && *end != '\n')
            end++;
        *text = end + (*end == '\n');
        while (*line == ' ' || *line == '\t')
            line++;
        while (end > line && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
            end--;
        if (__builtin_strncmp(line, prefix, sizeof(prefix) - 1) != 0)
            continue;
        *ret_pattern = (struct pattern){line + sizeof(prefix) - 1, end};
        if (ret_pattern->at < end)
            return true;
    }
    return false;
}

/* From the beginning of both. The last * that was met takes one byte more at each mismatch. */
static bool matches_from(struct pattern pattern, bool is_to_end, const char *name)
{
    const char *star = NULL, *retry = NULL;

    for (;;) {
        if (pattern.at < pattern.end && *pattern.at == '*') {
            star = ++pattern.at;
            retry = name;
        } else if (pattern.at == pattern.end && (!is_to_end || *name == '\0')) {
            return true;
        } else if (pattern.at < pattern.end && *name != '\0' && *pattern.at == *name) {
            pattern.at++;
            name++;
        } else if (star != NULL && *retry != '\0') {
            pattern.at = star;
            name = ++retry;
        } else {
            return false;
        }
    }
}

static bool matches(struct pattern pattern, const char *name)
{
    bool is_to_end = pattern.end > pattern.at && pattern.end[-1] == '$';

    if (name == NULL || *name == '\0')
        return false;
    pattern.end -= is_to_end;
    if (pattern.at < pattern.end && *pattern.at == '^') {
        pattern.at++;
        return matches_from(pattern, is_to_end, name);
    }
    for (; *name != '\0'; name++)
        if (matches_from(pattern, is_to_end, name))
            return true;
    return false;
}

static bool matches_frame(const struct bug *bug, const struct bug_frame *frame,
                          struct pattern pattern)
{
    if (matches(pattern, frame->function) || matches(pattern, frame->file))
        return true;
    return frame->module < bug->module_count && matches(pattern, bug->modules[frame->module].path);
}

bool sg_leak_is_suppressed(const struct bug *bug, const struct bug_stack *stack,
                           const char *suppressions)
{
    struct pattern pattern;

    while (next_pattern(&suppressions, &pattern))
        for (uint32_t i = 0; i < stack->count; i++)
            if (matches_frame(bug, &stack->frames[i], pattern))
                return true;
    return false;
}

static bool names_module(struct pattern pattern)
{
    for (; pattern.at + 3 <= pattern.end; pattern.at++)
        if (__builtin_strncmp(pattern.at, ".so", 3) == 0)
            return true;
    return false;
}

bool sg_leak_needs_names(const char *suppressions)
{
    struct pattern pattern;

    while (next_pattern(&suppressions, &pattern))
        if (!names_module(pattern))
            return true;
    return false;
}
