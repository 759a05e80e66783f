#include "line_report.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sg_is_code(const char *text)
{
    return text[0] == 'P' && isdigit((unsigned char)text[1]) && isdigit((unsigned char)text[2]) &&
           isdigit((unsigned char)text[3]);
}

/* Copies up to `end`, which lies in the same string. */
static void copy(char *to, size_t capacity, const char *from, const char *end)
{
    size_t length = (size_t)(end - from);

    if (length >= capacity)
        length = capacity - 1;
    memmove(to, from, length);
    to[length] = '\0';
}

/* The next part, which ends with ": ", or NULL. `*from` moves behind it. */
static bool take_part(const char **from, const char *limit, char *to, size_t capacity)
{
    const char *end = strstr(*from, ": ");

    if (end == NULL || end >= limit)
        return false;
    copy(to, capacity, *from, end);
    *from = end + 2;
    return true;
}

/* "MODULE+0xOFFSET<MODULE+0xOFFSET..." */
static void read_stack(const char *text, struct line_stack *stack)
{
    while (*text != '\0' && stack->count < LINE_FRAMES) {
        const char *end = text + strcspn(text, "<");
        struct line_place *place = &stack->frames[stack->count];
        const char *plus = NULL;

        for (const char *at = text; at + 3 < end; at++)
            if (strncmp(at, "+0x", 3) == 0)
                plus = at;
        if (plus != NULL) {
            copy(place->module, sizeof(place->module), text, plus);
            place->offset = strtoull(plus + 3, NULL, 16);
            stack->count++;
        }
        text = *end == '\0' ? end : end + 1;
    }
}

static void read_fact(const char *fact, struct line_report *report)
{
    const char *value = strchr(fact, '=');

    if (value == NULL)
        return;
    size_t length = (size_t)(value++ - fact);
    const char *end = value + strlen(value);

    if (strncmp(fact, "profile", length) == 0)
        copy(report->profile, sizeof(report->profile), value, end);
    else if (strncmp(fact, "class", length) == 0)
        copy(report->class, sizeof(report->class), value, end);
    else if (strncmp(fact, "id", length) == 0)
        copy(report->id, sizeof(report->id), value, end);
    else if (strncmp(fact, "at", length) == 0)
        read_stack(value, &report->at);
    else if (strncmp(fact, "allocated", length) == 0)
        read_stack(value, &report->allocated);
    else if (strncmp(fact, "freed", length) == 0)
        read_stack(value, &report->freed);
}

/* "NAME=VALUE NAME=VALUE)" */
static void read_facts(const char *facts, struct line_report *report)
{
    char text[2048];
    char *place = NULL;

    (void)snprintf(text, sizeof(text), "%s", facts);
    text[strcspn(text, ")\n")] = '\0';
    for (char *fact = strtok_r(text, " ", &place); fact != NULL; fact = strtok_r(NULL, " ", &place))
        read_fact(fact, report);
}

static const char *last_of(const char *text, const char *what)
{
    const char *found = NULL;

    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
        found = at;
    return found;
}

bool sg_line_read(const char *line, struct line_report *ret_report)
{
    static const char begin[] = "spanguard[";
    const char *at = strstr(line, begin);
    const char *facts = last_of(line, " (profile=");
    char *end;

    *ret_report = (struct line_report){.process = 0};
    if (at == NULL || facts == NULL || facts < at)
        return false;
    ret_report->process = (int)strtol(at + sizeof(begin) - 1, &end, 10);
    if (strncmp(end, "]: ", 3) != 0 || !sg_is_code(end + 3) || end[7] != ' ')
        return false;
    at = end + 8;
    copy(ret_report->code, sizeof(ret_report->code), end + 3, end + 7);
    if (!take_part(&at, facts, ret_report->title, sizeof(ret_report->title)) ||
        !take_part(&at, facts, ret_report->function, sizeof(ret_report->function)))
        return false;
    copy(ret_report->observation, sizeof(ret_report->observation), at, facts);
    read_facts(facts + 2, ret_report);
    return ret_report->id[0] != '\0';
}
