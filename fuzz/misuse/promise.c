#include "promise.h"

#include "size_class.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES 96u
#define LINE_BYTES 160u

static struct {
    bool may_return;
    unsigned count;
    struct reason reasons[LINES];
    char lines[LINES][LINE_BYTES];
} promise;

void promise_start(bool may_return)
{
    promise.may_return = may_return;
    promise.count = 0;
}

void promise_return(bool may_return)
{
    promise.may_return = may_return;
}

bool promise_may_return(void)
{
    return promise.may_return;
}

bool promise_has_line(void)
{
    return promise.count > 0;
}

void promise_line(struct reason reason, const char *format, ...)
{
    va_list arguments;

    if (promise.count == LINES)
        return;
    promise.reasons[promise.count] = reason;
    va_start(arguments, format);
    vsnprintf(promise.lines[promise.count++], LINE_BYTES, format, arguments);
    va_end(arguments);
}

static bool is_finding(const char *line, const char *finding, size_t bytes)
{
    size_t length = strlen(line);

    if (length > 0 && line[length - 1] == '*')
        return bytes >= length - 1 && memcmp(line, finding, length - 1) == 0;
    return bytes == length && memcmp(line, finding, length) == 0;
}

static bool is_class(uint32_t class, const char *rest)
{
    const char *said = strstr(rest, " class=");

    if (class == PROMISE_NO_CLASS || said == NULL)
        return class == PROMISE_NO_CLASS && said == NULL;
    said += strlen(" class=");
    return class == CLASS_LARGE ? strncmp(said, "large ", 6) == 0
                                : strtoul(said, NULL, 10) == class;
}

int promise_judge(const char *said)
{
    const char *finding = strstr(said, "]: ");
    const char *rest = finding == NULL ? NULL : strstr(finding, " (profile=");

    if (rest == NULL)
        return PROMISE_BROKEN;
    finding += 3;
    for (unsigned i = 0; i < promise.count; i++)
        if (is_finding(promise.lines[i], finding, (size_t)(rest - finding)) &&
            is_class(promise.reasons[i].class, rest))
            return promise.reasons[i].act;
    return PROMISE_BROKEN;
}

const char *promise_text(void)
{
    static char text[600];
    size_t length = 0;

    text[0] = '\0';
    if (promise.may_return)
        length = (size_t)snprintf(text, sizeof(text), "to return");
    for (unsigned i = 0; i < promise.count && length < sizeof(text); i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s (class %u)",
                                   length == 0 ? "" : "; or ", promise.lines[i],
                                   promise.reasons[i].class);
    return text;
}
