/* Target: lines `[section]` and `key=value`. Blanks before a value do not count; a value that ends
 * with `;` is without it; one that is missing is "yes". */
#include "bug.h"

#include <stdlib.h>
#include <string.h>

struct section {
    size_t count; /* of keys */
    char name[24];
};

struct sections {
    struct section *all;
    size_t count;
    struct section *current;
    struct section *kept; /* as `current` was before the array moved */
};

volatile unsigned result;

static char no_value[] = "yes";

static char *copy_of(const char *text, size_t length)
{
    char *copy = malloc(HAS_BUG(9) ? length + (length == 0) : length + 1);

    if (copy == NULL)
        abort();
    memcpy(copy, text, length);
    if (!HAS_BUG(9))
        copy[length] = '\0';
    return copy;
}

static void begin_section(struct sections *sections, const char *name, size_t length)
{
    struct section *longer = realloc(sections->all, (sections->count + 1) * sizeof(*longer));

    if (longer == NULL)
        abort();
    sections->all = longer;
    sections->current = &longer[sections->count++];
    sections->current->count = 0;
    if (length >= sizeof(sections->current->name))
        length = sizeof(sections->current->name) - 1;
    memcpy(sections->current->name, name, length);
    sections->current->name[length] = '\0';
    if (sections->kept == NULL || !HAS_BUG(6))
        sections->kept = sections->current;
}

static void use(const char *value)
{
    size_t length = strlen(value);

    for (size_t i = 0; i < length; i++)
        result = result * 31 + (uint8_t)value[i];
}

static void strip_end(char *value)
{
    size_t length = HAS_BUG(9) ? 0 : strlen(value);

    if (HAS_BUG(8)) /* `length - 1` of nothing */
        value[(ptrdiff_t)length - 1] = '\0';
    else if (length > 0 && value[length - 1] == ';')
        value[length - 1] = '\0';
}

static void key(struct sections *sections, const char *line, size_t length)
{
    const char *equals = memchr(line, '=', length);
    const char *end = line + length;
    char *value = equals == NULL ? no_value : copy_of(equals + 1, (size_t)(end - equals - 1));
    char *start = value;

    if (equals != NULL)
        strip_end(value);
    while (!HAS_BUG(9) && *start == ' ')
        start++;
    use(start);
    if (sections->kept != NULL)
        sections->kept->count++;
    if (HAS_BUG(7))
        free(start);
    else if (equals != NULL || HAS_BUG(10))
        free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sections sections = {0};
    const char *at = (const char *)data, *end = at + size;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((newline == NULL ? end : newline) - at);

        if (length >= 2 && at[0] == '[')
            begin_section(&sections, at + 1, length - 2);
        else if (length > 0)
            key(&sections, at, length);
        at += length + 1;
    }
    for (size_t i = 0; i < sections.count; i++)
        result += (unsigned)sections.all[i].count + (uint8_t)sections.all[i].name[0];
    free(sections.all);
    return 0;
}
