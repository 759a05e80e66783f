#include "bug_words.h"

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Bytes that a first byte promises; 0: it is none. */
static size_t promised(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* The character of `count` bytes; UINT32_MAX if they are no UTF-8. */
static uint32_t decode(const unsigned char *bytes, size_t count)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t character = bytes[0] & mask[count];

    for (size_t i = 1; i < count; i++) {
        if (!is_continuation(bytes[i]))
            return UINT32_MAX;
        character = character << 6 | (bytes[i] & 0x3f);
    }
    return character < least[count] || character > 0x10ffff ? UINT32_MAX : character;
}

/* First and last of what a terminal obeys or a reader cannot see. */
static const struct {
    uint32_t first, last;
} hidden[] = {
    {0x00, 0x1f},     /* control characters */
    {0x7f, 0x9f},     /* more of them: some terminals take 0x9b for the start of a command */
    {0xad, 0xad},     /* soft hyphen */
    {0x61c, 0x61c},   /* a mark of direction */
    {0x200b, 0x200f}, /* no width, marks of direction */
    {0x2028, 0x202e}, /* ends of lines, overrides of direction */
    {0x2060, 0x206f}, /* no width, isolates */
    {0xd800, 0xdfff}, /* halves of characters */
    {0xfeff, 0xfeff}, /* byte order mark */
    {0xfff0, 0xffff}, {0xe0000, UINT32_MAX},
};

size_t sg_bug_glyph(const char *bytes, size_t length)
{
    const unsigned char *byte = (const unsigned char *)bytes;
    size_t count = length == 0 ? 0 : promised(byte[0]);
    uint32_t character;

    if (count == 0 || count > length)
        return 0;
    character = decode(byte, count);
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        if (character >= hidden[i].first && character <= hidden[i].last)
            return 0;
    return count;
}

/* Bytes of the next column. */
static size_t step(const char *bytes, size_t length)
{
    size_t glyph = sg_bug_glyph(bytes, length);

    return glyph > 0 ? glyph : 1;
}

static size_t width_of(const char *string, size_t length)
{
    size_t width = 0;

    for (size_t i = 0; i < length; i += step(string + i, length - i))
        width++;
    return width;
}

size_t sg_bug_width(const char *string)
{
    return width_of(string, __builtin_strlen(string));
}

static void say_columns(struct text *text, const char *bytes, size_t length)
{
    size_t count;

    for (size_t i = 0; i < length; i += count) {
        count = step(bytes + i, length - i);
        if (sg_bug_glyph(bytes + i, length - i) == 0)
            sg_text_string(text, "?");
        else
            sg_text_bytes(text, bytes + i, count);
    }
}

static size_t skip_columns(const char *string, size_t length, size_t columns)
{
    size_t i = 0;

    while (columns-- > 0 && i < length)
        i += step(string + i, length - i);
    return i;
}

void sg_bug_say_head(struct text *text, const char *string, size_t most)
{
    size_t length = __builtin_strlen(string);

    if (width_of(string, length) <= most) {
        say_columns(text, string, length);
        return;
    }
    say_columns(text, string, skip_columns(string, length, most - 3));
    sg_text_string(text, "...");
}

void sg_bug_say_tail(struct text *text, const char *string, size_t most)
{
    size_t length = __builtin_strlen(string);
    size_t width = width_of(string, length);
    size_t skipped = 0;

    if (width > most) {
        sg_text_string(text, "...");
        skipped = skip_columns(string, length, width - most + 3);
    }
    say_columns(text, string + skipped, length - skipped);
}

void sg_bug_say_count(struct text *text, uint64_t value)
{
    char digits[32];
    struct text plain = sg_text_begin(digits, sizeof(digits));

    sg_text_decimal(&plain, value);
    for (size_t i = 0; i < plain.length; i++) {
        if (i > 0 && (plain.length - i) % 3 == 0)
            sg_text_string(text, ",");
        sg_text_bytes(text, digits + i, 1);
    }
}

void sg_bug_say_bytes(struct text *text, uint64_t value)
{
    sg_bug_say_count(text, value);
    sg_text_string(text, value == 1 ? " byte" : " bytes");
}

void sg_bug_say_signed(struct text *text, int64_t value)
{
    if (value < 0)
        sg_text_string(text, "-");
    sg_text_decimal(text, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void sg_bug_say_offset(struct text *text, int64_t value)
{
    if (value >= 0)
        sg_text_string(text, "+");
    sg_bug_say_signed(text, value);
}

void sg_bug_say_time(struct text *text, uint64_t microseconds)
{
    static const struct {
        uint64_t below, unit;
        const char *name;
    } units[] = {
        {1000, 1, " us"},
        {1000 * 1000ull, 1000, " ms"},
        {120 * 1000000ull, 1000000, " s"},
        {7200 * 1000000ull, 60 * 1000000ull, " min"},
        {UINT64_MAX, 3600 * 1000000ull, " h"},
    };
    size_t i = 0;

    while (microseconds >= units[i].below && i + 1 < sizeof(units) / sizeof(units[0]))
        i++;
    sg_text_decimal(text, microseconds / units[i].unit);
    sg_text_string(text, units[i].name);
}

bool sg_bug_is(const char *first, const char *second)
{
    return first != NULL && second != NULL && __builtin_strcmp(first, second) == 0;
}

void sg_bug_say_call(struct text *text, const char *function)
{
    static const char operator_[] = "operator ";
    bool is_operator;

    if (function == NULL)
        function = "free";
    is_operator = __builtin_strncmp(function, operator_, sizeof(operator_) - 1) == 0;
    if (is_operator)
        function += sizeof(operator_) - 1;
    sg_bug_say_head(text, function, 32);
    if (!is_operator && __builtin_strncmp(function, "delete", 6) != 0 &&
        __builtin_strncmp(function, "new", 3) != 0)
        sg_text_string(text, "()");
}

const char *sg_bug_base_name(const char *path)
{
    const char *name = path;

    for (const char *c = path; *c != '\0'; c++)
        if (*c == '/' && c[1] != '\0')
            name = c + 1;
    return name;
}

const char *sg_bug_short_path(const char *path)
{
    const char *base = sg_bug_base_name(path);

    while (path[0] == '.' && path[1] == '/' && path[2] != '\0')
        path += 2;
    if (path[0] != '/')
        return path;
    if (base - path > 1)
        base--; /* the slash before it */
    while (base > path && base[-1] != '/')
        base--;
    return base;
}

void sg_bug_say_place(struct text *text, const struct bug *bug, const struct bug_frame *frame)
{
    if (frame->module >= bug->module_count || frame->module >= BUG_MODULES) {
        sg_text_hex(text, frame->pc);
        return;
    }
    sg_bug_say_head(text, sg_bug_base_name(bug->modules[frame->module].path), 40);
    sg_text_string(text, "+");
    sg_text_hex(text, frame->offset);
}

void sg_bug_end_line(struct text *text)
{
    if (text->length > 0 && text->length + 1 >= text->capacity)
        text->bytes[text->length - 1] = '\n';
}
