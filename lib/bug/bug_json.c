/* A bug as one line of JSON. Every byte of a string comes back by sg_bug_read_json(): UTF-8 that
 * may be shown stands as it is, each other byte as \u00XX. */
#include "bug_fields.h"
#include "bug_words.h"

struct writer {
    struct text *text;
    enum field_level level;
};

static void say_escaped(struct text *text, char byte)
{
    sg_text_string(text, "\\u00");
    sg_text_hex_digits(text, (unsigned char)byte, 2);
}

static void say_quoted(struct text *text, const char *string, size_t length)
{
    size_t count;

    sg_text_string(text, "\"");
    for (size_t i = 0; i < length; i += count) {
        count = sg_bug_glyph(string + i, length - i);
        if (string[i] == '"' || string[i] == '\\')
            sg_text_string(text, "\\");
        if (count > 0)
            sg_text_bytes(text, string + i, count);
        else
            say_escaped(text, string[i]);
        count += count == 0;
    }
    sg_text_string(text, "\"");
}

static void say_string(struct text *text, const char *string, size_t most)
{
    size_t length = __builtin_strlen(string);

    say_quoted(text, string, length < most ? length : most);
}

/* A comma, unless it is the first of its object; then the name. */
static void say_name(struct text *text, const char *name)
{
    char last = text->length > 0 ? text->bytes[text->length - 1] : '{';

    sg_text_string(text, last == '{' ? "" : ",");
    say_string(text, name, FIELD_STRING_BYTES);
    sg_text_string(text, ":");
}

static uint64_t number_at(const struct field *field, const void *place)
{
    switch (field->type) {
    case FIELD_BOOL:
        return *(const bool *)place;
    case FIELD_U8:
        return *(const uint8_t *)place;
    case FIELD_U16:
        return *(const uint16_t *)place;
    case FIELD_U32:
    case FIELD_ID:
        return *(const uint32_t *)place;
    case FIELD_I32:
        return (uint64_t)(int64_t) * (const int *)place;
    case FIELD_KIND:
        return *(const enum bug_kind *)place;
    case FIELD_PLACE:
        return *(const enum bug_place *)place;
    default:
        return *(const uint64_t *)place;
    }
}

static void say_hexadecimal(struct text *text, const struct field *field, uint64_t value)
{
    sg_text_string(text, "\"");
    if (field->type == FIELD_ID)
        sg_text_hex_digits(text, value, 8);
    else
        sg_text_hex(text, value);
    sg_text_string(text, "\"");
}

static void say_number(struct text *text, const struct field *field, const void *place)
{
    uint64_t value = number_at(field, place);

    if (value == field->absent || (field->type == FIELD_PLACE && value > BUG_PLACE_OVERFLOW))
        return;
    say_name(text, field->name);
    switch (field->type) {
    case FIELD_BOOL:
        return sg_text_string(text, "true");
    case FIELD_I32:
    case FIELD_I64:
        return sg_bug_say_signed(text, (int64_t)value);
    case FIELD_ADDRESS:
    case FIELD_ID:
        return say_hexadecimal(text, field, value);
    case FIELD_KIND:
        return say_string(text, sg_bug_code((enum bug_kind)value), FIELD_STRING_BYTES);
    case FIELD_PLACE:
        return say_string(text, sg_bug_place_names[value], FIELD_STRING_BYTES);
    default:
        return sg_text_decimal(text, value);
    }
}

/* Of a path that is cut the end stays. */
static void say_chars(struct writer *writer, const struct field *field, const char *place)
{
    size_t length = 0, start = 0;

    while (length < field->size && place[length] != '\0')
        length++;
    if (writer->level == LEVEL_LEAST && length > LEVEL_LEAST_CHARS)
        start = length - LEVEL_LEAST_CHARS;
    if (length == 0)
        return;
    say_name(writer->text, field->name);
    say_quoted(writer->text, place + start, length - start);
}

static uint32_t count_of(const struct field *field, const char *object)
{
    uint32_t count = *(const uint32_t *)(object + field->count_offset);

    return count < field->count_most ? count : field->count_most;
}

static void say_bytes(struct writer *writer, const struct field *field, const char *object)
{
    uint32_t count = count_of(field, object);

    say_name(writer->text, field->name);
    sg_text_string(writer->text, "\"");
    for (uint32_t i = 0; i < count; i++)
        sg_text_hex_digits(writer->text, (unsigned char)object[field->offset + i], 2);
    sg_text_string(writer->text, "\"");
}

static void say_object(struct writer *writer, const struct field *fields, const char *object);

static void say_array(struct writer *writer, const struct field *field, const char *object)
{
    uint32_t count = count_of(field, object);
    bool is_stack = field->size == sizeof(struct bug_frame);

    if (writer->level == LEVEL_LEAST && is_stack && count > LEVEL_LEAST_FRAMES)
        count = LEVEL_LEAST_FRAMES;
    if (count == 0)
        return;
    say_name(writer->text, field->name);
    for (uint32_t i = 0; i < count; i++) {
        sg_text_string(writer->text, i == 0 ? "[{" : ",{");
        say_object(writer, field->fields, object + field->offset + (size_t)i * field->size);
        sg_text_string(writer->text, "}");
    }
    sg_text_string(writer->text, "]");
}

static void say_field(struct writer *writer, const struct field *field, const char *object)
{
    const char *place = object + field->offset;

    switch (field->type) {
    case FIELD_STRING:
        if (*(const char *const *)place == NULL)
            return;
        say_name(writer->text, field->name);
        return say_string(writer->text, *(const char *const *)place,
                          writer->level == LEVEL_LEAST ? LEVEL_LEAST_STRING : FIELD_STRING_BYTES);
    case FIELD_CHARS:
        return say_chars(writer, field, place);
    case FIELD_BYTES:
        return say_bytes(writer, field, object);
    case FIELD_ARRAY:
        return say_array(writer, field, object);
    case FIELD_OBJECT:
        if (!field->is_there(place))
            return;
        say_name(writer->text, field->name);
        sg_text_string(writer->text, "{");
        say_object(writer, field->fields, place);
        return sg_text_string(writer->text, "}");
    default:
        return say_number(writer->text, field, place);
    }
}

static void say_object(struct writer *writer, const struct field *fields, const char *object)
{
    for (const struct field *field = fields; field->name != NULL; field++)
        if (writer->level <= field->last)
            say_field(writer, field, object);
}

/* What follows from the facts, for readers that have no rules: passed over when it is read. */
static void say_words(struct writer *writer, const struct bug *bug)
{
    struct text *text = writer->text;
    char words[512];
    struct text line = sg_text_begin(words, sizeof(words));

    say_name(text, "title");
    say_string(text, sg_bug_title(bug->kind), sizeof(words));
    sg_bug_say_headline(&line, bug);
    say_name(text, "headline");
    say_string(text, words, sizeof(words));
    line = sg_text_begin(words, sizeof(words));
    if (bug->is_cut || writer->level != LEVEL_ALL || !sg_bug_say_likely(&line, bug))
        return;
    say_name(text, "likely");
    say_string(text, words, sizeof(words));
}

/* False: it did not fit. */
static bool say_line(struct text *text, const struct bug *bug, enum field_level level)
{
    struct writer writer = {.text = text, .level = level};

    sg_text_string(text, "{");
    say_name(text, BUG_SCHEMA_NAME);
    sg_text_decimal(text, BUG_SCHEMA);
    say_words(&writer, bug);
    say_object(&writer, sg_bug_fields, (const char *)bug);
    if (level != LEVEL_ALL && !bug->is_cut) {
        say_name(text, "cut");
        sg_text_string(text, "true");
    }
    sg_text_string(text, "}\n");
    return text->length + 1 < text->capacity;
}

void sg_bug_say_json(struct text *text, const struct bug *bug)
{
    size_t start = text->length;

    for (enum field_level level = LEVEL_ALL; level <= LEVEL_LEAST; level++) {
        text->length = start;
        if (say_line(text, bug, level))
            return;
    }
    sg_bug_end_line(text);
}
