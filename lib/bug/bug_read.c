/* The facts of a bug, back out of its line of JSON. The line may come from anywhere: what is in it
 * is bounded and checked, and what is not known is passed over. */
#include "bug_fields.h"
#include "bug_scan.h"

#define NAME_BYTES 32

struct reader {
    struct scan scan;
    struct bug *bug;
    uint64_t schema;
};

/* Many frames have the same function or file. */
static const char *keep_once(struct bug *bug, const char *bytes, size_t length)
{
    for (uint32_t i = 0; i < bug->string_bytes;) {
        size_t kept = __builtin_strlen(bug->strings + i);

        if (kept == length && __builtin_memcmp(bug->strings + i, bytes, length) == 0)
            return bug->strings + i;
        i += (uint32_t)kept + 1;
    }
    return sg_bug_keep(bug, bytes, length);
}

static void store(const struct field *field, void *place, uint64_t value)
{
    switch (field->type) {
    case FIELD_BOOL:
        *(bool *)place = value != 0;
        return;
    case FIELD_U8:
        *(uint8_t *)place = (uint8_t)value;
        return;
    case FIELD_U16:
        *(uint16_t *)place = (uint16_t)value;
        return;
    case FIELD_U32:
    case FIELD_ID:
        *(uint32_t *)place = (uint32_t)value;
        return;
    case FIELD_I32:
        *(int *)place = (int)value;
        return;
    case FIELD_KIND:
        *(enum bug_kind *)place = value < BUG_KINDS ? (enum bug_kind)value : BUG_KINDS;
        return;
    case FIELD_PLACE:
        *(enum bug_place *)place = (enum bug_place)value;
        return;
    default:
        *(uint64_t *)place = value;
    }
}

static bool is_number(const struct field *field)
{
    return field->type != FIELD_STRING && field->type != FIELD_CHARS &&
           field->type != FIELD_BYTES && field->type != FIELD_OBJECT && field->type != FIELD_ARRAY;
}

/* Sets each number to the one that means: not known. All else is zero already. */
static void reset(const struct field *fields, char *object)
{
    for (const struct field *field = fields; field->name != NULL; field++) {
        if (is_number(field))
            store(field, object + field->offset, field->absent);
        else if (field->type == FIELD_OBJECT)
            reset(field->fields, object + field->offset);
    }
}

static void clear(const struct field *field, char *object)
{
    __builtin_memset(object, 0, field->size);
    reset(field->fields, object);
}

static uint64_t most_of(enum field_type type)
{
    switch (type) {
    case FIELD_U8:
        return UINT8_MAX;
    case FIELD_U16:
        return UINT16_MAX;
    case FIELD_U32:
        return UINT32_MAX;
    case FIELD_I32:
        return INT32_MAX;
    case FIELD_I64:
        return INT64_MAX;
    default:
        return UINT64_MAX;
    }
}

static bool read_number(struct reader *reader, const struct field *field, char *place)
{
    struct scan_number number;
    bool is_signed = field->type == FIELD_I32 || field->type == FIELD_I64;

    if (!sg_scan_number(&reader->scan, &number))
        return false;
    if (!number.is_whole || (number.is_negative && !is_signed) ||
        number.value > most_of(field->type) + (number.is_negative ? 1 : 0))
        return true;
    store(field, place, number.is_negative ? -number.value : number.value);
    return true;
}

static int nibble(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static bool parse_hexadecimal(const char *digits, size_t most, uint64_t *ret_value)
{
    uint64_t value = 0;
    size_t length = __builtin_strlen(digits);

    if (length == 0 || length > most)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (nibble(digits[i]) < 0)
            return false;
        value = value << 4 | (uint64_t)nibble(digits[i]);
    }
    *ret_value = value;
    return true;
}

static bool is_same(const char *one, const char *other)
{
    return __builtin_strcmp(one, other) == 0;
}

/* The number that a word stands for. */
static bool value_of(const struct field *field, const char *word, uint64_t *ret_value)
{
    switch (field->type) {
    case FIELD_ADDRESS:
        return word[0] == '0' && word[1] == 'x' && parse_hexadecimal(word + 2, 16, ret_value);
    case FIELD_ID:
        return parse_hexadecimal(word, 8, ret_value);
    case FIELD_KIND:
        for (uint64_t kind = 0; kind < BUG_KINDS; kind++)
            if (is_same(sg_bug_code((enum bug_kind)kind), word)) {
                *ret_value = kind;
                return true;
            }
        return false;
    default:
        for (uint64_t place = 0; place <= BUG_PLACE_OVERFLOW; place++)
            if (is_same(sg_bug_place_names[place], word)) {
                *ret_value = place;
                return true;
            }
        return false;
    }
}

static bool read_word(struct reader *reader, const struct field *field, char *place)
{
    char word[NAME_BYTES];
    uint64_t value = 0;
    size_t length;

    if (!sg_scan_string(&reader->scan, word, sizeof(word), &length))
        return false;
    if (value_of(field, word, &value))
        store(field, place, value);
    return true;
}

static bool read_string(struct reader *reader, char *place)
{
    char bytes[FIELD_STRING_BYTES + 1];
    size_t length;

    if (!sg_scan_string(&reader->scan, bytes, sizeof(bytes), &length))
        return false;
    *(const char **)place = keep_once(reader->bug, bytes, __builtin_strlen(bytes));
    return true;
}

static bool read_bytes(struct reader *reader, const struct field *field, char *object)
{
    char digits[2 * BUG_MEMORY_BYTES + 1];
    size_t count = 0, length;

    if (!sg_scan_string(&reader->scan, digits, sizeof(digits), &length))
        return false;
    for (; count < field->size && 2 * count + 1 < length; count++) {
        int high = nibble(digits[2 * count]), low = nibble(digits[2 * count + 1]);

        if (high < 0 || low < 0)
            break;
        object[field->offset + count] = (char)(high << 4 | low);
    }
    *(uint32_t *)(object + field->count_offset) = (uint32_t)count;
    return true;
}

static bool read_object(struct reader *reader, const struct field *fields, char *object);

/* Of an object that says of itself that it is none, nothing stays. */
static bool read_part(struct reader *reader, const struct field *field, char *object)
{
    if (!read_object(reader, field->fields, object))
        return false;
    if (!field->is_there(object))
        clear(field, object);
    return true;
}

/* Elements for which there is no room are passed over. */
static bool read_element(struct reader *reader, const struct field *field, char *object)
{
    uint32_t *count = (uint32_t *)(object + field->count_offset);
    char *element = object + field->offset + (size_t)*count * field->size;

    if (*count == field->count_most || sg_scan_peek(&reader->scan) != '{')
        return sg_scan_skip(&reader->scan);
    ++*count;
    clear(field, element);
    return read_object(reader, field->fields, element);
}

static bool read_array(struct reader *reader, const struct field *field, char *object)
{
    if (!sg_scan_take(&reader->scan, '['))
        return false;
    *(uint32_t *)(object + field->count_offset) = 0;
    if (sg_scan_take(&reader->scan, ']'))
        return true;
    do
        if (!read_element(reader, field, object))
            return false;
    while (sg_scan_take(&reader->scan, ','));
    return sg_scan_take(&reader->scan, ']');
}

/* The first byte of what a field is written as. */
static bool is_of_type(const struct field *field, char first)
{
    switch (field->type) {
    case FIELD_BOOL:
        return first == 't' || first == 'f';
    case FIELD_OBJECT:
        return first == '{';
    case FIELD_ARRAY:
        return first == '[';
    case FIELD_U8:
    case FIELD_U16:
    case FIELD_U32:
    case FIELD_U64:
    case FIELD_I32:
    case FIELD_I64:
        return first == '-' || (first >= '0' && first <= '9');
    default:
        return first == '"';
    }
}

static bool read_field(struct reader *reader, const struct field *field, char *object)
{
    char *place = object + field->offset;
    size_t length;

    switch (field->type) {
    case FIELD_BOOL:
        return sg_scan_bool(&reader->scan, (bool *)place);
    case FIELD_STRING:
        return read_string(reader, place);
    case FIELD_CHARS:
        return sg_scan_string(&reader->scan, place, field->size, &length);
    case FIELD_BYTES:
        return read_bytes(reader, field, object);
    case FIELD_OBJECT:
        return read_part(reader, field, place);
    case FIELD_ARRAY:
        return read_array(reader, field, object);
    case FIELD_ADDRESS:
    case FIELD_ID:
    case FIELD_KIND:
    case FIELD_PLACE:
        return read_word(reader, field, place);
    default:
        return read_number(reader, field, place);
    }
}

static bool read_schema(struct reader *reader)
{
    struct scan_number number;

    if (!sg_scan_number(&reader->scan, &number))
        return false;
    reader->schema = number.is_negative ? 0 : number.value;
    return true;
}

static bool read_member(struct reader *reader, const struct field *fields, char *object)
{
    const struct field *field = fields;
    char name[NAME_BYTES];
    size_t length;

    if (!sg_scan_string(&reader->scan, name, sizeof(name), &length) ||
        !sg_scan_take(&reader->scan, ':'))
        return false;
    if (fields == sg_bug_fields && is_same(name, BUG_SCHEMA_NAME))
        return read_schema(reader);
    while (field->name != NULL && !is_same(field->name, name))
        field++;
    if (field->name == NULL || !is_of_type(field, sg_scan_peek(&reader->scan)))
        return sg_scan_skip(&reader->scan);
    return read_field(reader, field, object);
}

static bool read_object(struct reader *reader, const struct field *fields, char *object)
{
    if (!sg_scan_take(&reader->scan, '{'))
        return false;
    if (sg_scan_take(&reader->scan, '}'))
        return true;
    do
        if (!read_member(reader, fields, object))
            return false;
    while (sg_scan_take(&reader->scan, ','));
    return sg_scan_take(&reader->scan, '}');
}

bool sg_bug_read_json(struct bug *bug, const char *line, size_t length)
{
    struct reader reader = {.scan = {.at = line, .end = line + length}, .bug = bug};

    __builtin_memset(bug, 0, sizeof(*bug));
    reset(sg_bug_fields, (char *)bug);
    return read_object(&reader, sg_bug_fields, (char *)bug) && sg_scan_peek(&reader.scan) == '\0' &&
           reader.scan.at == reader.scan.end && reader.schema == BUG_SCHEMA &&
           bug->kind < BUG_KINDS;
}
