/* Stands in for lib/bug until it is linked: that says nothing, explains nothing, reads nothing. */
#include "bug.h"

#define WEAK __attribute__((weak))

WEAK const char *sg_bug_code(enum bug_kind kind)
{
    (void)kind;
    return "";
}

WEAK const char *sg_bug_title(enum bug_kind kind)
{
    (void)kind;
    return "";
}

WEAK void sg_bug_say_text(struct text *text, const struct bug *bug, bool colour)
{
    (void)text, (void)bug, (void)colour;
}

WEAK const char *sg_bug_explain(const char *code)
{
    (void)code;
    return NULL;
}

WEAK const char *sg_bug_keep(struct bug *bug, const char *bytes, size_t length)
{
    (void)bug, (void)bytes, (void)length;
    return "";
}

WEAK bool sg_bug_read_json(struct bug *bug, const char *line, size_t length)
{
    (void)bug, (void)line, (void)length;
    return false;
}
