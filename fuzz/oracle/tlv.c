/* Target: records of a tag, a length and so many bytes. `a` to `p` set a field; of the others the
 * first byte names a field: `-` deletes it, `+` appends the rest to it, `?` sums it up; without
 * bytes `?` sums up the field that was set last, and `!` changes its case. */
#include "bug.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS 16u

struct field {
    char *text;
    size_t length;
};

struct fields {
    struct field all[FIELDS];
    struct field last; /* a copy of the field that was set last */
};

volatile unsigned result;

static struct field *field_of(struct fields *fields, uint8_t name)
{
    return name - 'a' < (int)FIELDS && name >= 'a' ? &fields->all[name - 'a'] : NULL;
}

static void drop(struct fields *fields, struct field *field)
{
    free(field->text);
    if (fields->last.text == field->text && !HAS_BUG(3) && !HAS_BUG(4))
        fields->last = (struct field){0};
    if (!HAS_BUG(5))
        *field = (struct field){0};
}

static void set(struct fields *fields, struct field *field, const uint8_t *bytes, size_t length)
{
    if (field->text != NULL)
        drop(fields, field);
    field->text = malloc(HAS_BUG(1) ? length : length + 1);
    if (field->text == NULL)
        abort();
    memcpy(field->text, bytes, length);
    field->text[length] = '\0';
    field->length = length;
    fields->last = *field;
}

static void append(struct fields *fields, struct field *field, const uint8_t *bytes, size_t length)
{
    if (field->text == NULL)
        return;
    if (!HAS_BUG(2)) {
        char *longer = realloc(field->text, field->length + length + 1);

        if (longer == NULL)
            abort();
        if (fields->last.text == field->text)
            fields->last.text = longer;
        field->text = longer;
    }
    memcpy(field->text + field->length, bytes, length);
    field->length += length;
    field->text[field->length] = '\0';
}

static void sum(const struct field *field)
{
    for (size_t i = 0; i < field->length; i++)
        result += (uint8_t)field->text[i];
}

static void change_case(const struct field *field)
{
    for (size_t i = 0; i < field->length; i++)
        field->text[i] = (char)(field->text[i] ^ 0x20);
}

static void obey(struct fields *fields, uint8_t tag, const uint8_t *bytes, size_t length)
{
    struct field *field = field_of(fields, length > 0 ? bytes[0] : 0);

    if (field_of(fields, tag) != NULL)
        set(fields, field_of(fields, tag), bytes, length);
    else if (tag == '-' && field != NULL && field->text != NULL)
        drop(fields, field);
    else if (tag == '+' && field != NULL)
        append(fields, field, bytes + 1, length - 1);
    else if (tag == '?')
        sum(field != NULL ? field : &fields->last);
    else if (tag == '!')
        change_case(&fields->last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fields fields = {0};

    for (size_t at = 0; at + 2 <= size && data[at + 1] <= size - at - 2; at += 2u + data[at + 1])
        obey(&fields, data[at], data + at + 2, data[at + 1]);
    for (unsigned i = 0; i < FIELDS; i++)
        free(fields.all[i].text);
    return 0;
}
