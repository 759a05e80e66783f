#include "bug_scan.h"

char sg_scan_peek(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
        scan->at++;
    return scan->at < scan->end ? *scan->at : '\0';
}

bool sg_scan_take(struct scan *scan, char byte)
{
    if (byte == '\0' || sg_scan_peek(scan) != byte)
        return false;
    scan->at++;
    return true;
}

static int digit_of(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

/* Four hexadecimal digits. */
static bool scan_unit(struct scan *scan, uint32_t *ret_unit)
{
    uint32_t unit = 0;

    if (scan->end - scan->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        int digit = digit_of(*scan->at++);

        if (digit < 0)
            return false;
        unit = unit << 4 | (uint32_t)digit;
    }
    *ret_unit = unit;
    return true;
}

struct output {
    char *bytes;
    size_t capacity, length;
};

static void put(struct output *output, uint32_t byte)
{
    if (output->length + 1 < output->capacity)
        output->bytes[output->length++] = (char)byte;
}

static void put_character(struct output *output, uint32_t character)
{
    if (character >= 0x10000) {
        put(output, 0xf0 | character >> 18);
        put(output, 0x80 | (character >> 12 & 0x3f));
        put(output, 0x80 | (character >> 6 & 0x3f));
        put(output, 0x80 | (character & 0x3f));
    } else if (character >= 0x800) {
        put(output, 0xe0 | character >> 12);
        put(output, 0x80 | (character >> 6 & 0x3f));
        put(output, 0x80 | (character & 0x3f));
    } else if (character >= 0x100) {
        put(output, 0xc0 | character >> 6);
        put(output, 0x80 | (character & 0x3f));
    } else {
        put(output, character); /* our escape for one byte that is no UTF-8 */
    }
}

/* What follows \u. Other writers say characters beyond 16 bits in two halves. */
static bool scan_escaped_unit(struct scan *scan, struct output *output)
{
    uint32_t unit = 0, low = 0;

    if (!scan_unit(scan, &unit))
        return false;
    if (unit >= 0xd800 && unit < 0xdc00 && scan->end - scan->at >= 6 && scan->at[0] == '\\' &&
        scan->at[1] == 'u') {
        scan->at += 2;
        if (!scan_unit(scan, &low))
            return false;
        put_character(output, 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff));
        return true;
    }
    put_character(output, unit);
    return true;
}

static bool scan_escape(struct scan *scan, struct output *output)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    char letter;

    if (scan->at == scan->end)
        return false;
    letter = *scan->at++;
    if (letter == 'u')
        return scan_escaped_unit(scan, output);
    for (size_t i = 0; i < sizeof(letters) - 1; i++)
        if (letters[i] == letter) {
            put(output, (unsigned char)bytes[i]);
            return true;
        }
    return false;
}

bool sg_scan_string(struct scan *scan, char *ret_bytes, size_t capacity, size_t *ret_length)
{
    struct output output = {.bytes = ret_bytes, .capacity = capacity};

    if (!sg_scan_take(scan, '"'))
        return false;
    while (scan->at < scan->end) {
        char byte = *scan->at++;

        if (byte == '"') {
            ret_bytes[output.length] = '\0';
            *ret_length = output.length;
            return true;
        }
        if ((unsigned char)byte < 0x20)
            return false;
        if (byte != '\\')
            put(&output, (unsigned char)byte);
        else if (!scan_escape(scan, &output))
            return false;
    }
    return false;
}

static bool is_of_number(char byte)
{
    return (byte >= '0' && byte <= '9') || byte == '.' || byte == 'e' || byte == 'E' ||
           byte == '+' || byte == '-';
}

bool sg_scan_number(struct scan *scan, struct scan_number *ret_number)
{
    struct scan_number number = {.is_whole = true};

    number.is_negative = sg_scan_take(scan, '-');
    if (scan->at == scan->end || *scan->at < '0' || *scan->at > '9')
        return false;
    for (; scan->at < scan->end && is_of_number(*scan->at); scan->at++) {
        uint64_t digit = (uint64_t)(*scan->at - '0');

        if (*scan->at < '0' || *scan->at > '9' ||
            __builtin_mul_overflow(number.value, 10, &number.value) ||
            __builtin_add_overflow(number.value, digit, &number.value))
            number.is_whole = false;
    }
    *ret_number = number;
    return true;
}

static bool scan_word(struct scan *scan, const char *word)
{
    size_t length = __builtin_strlen(word);

    if ((size_t)(scan->end - scan->at) < length || __builtin_memcmp(scan->at, word, length) != 0)
        return false;
    scan->at += length;
    return true;
}

bool sg_scan_bool(struct scan *scan, bool *ret_value)
{
    *ret_value = sg_scan_peek(scan) == 't';
    return scan_word(scan, *ret_value ? "true" : "false");
}

/* One word, bracket or comma of what is passed over. */
static bool skip_one(struct scan *scan, unsigned *depth)
{
    char nothing[1], byte = sg_scan_peek(scan);
    struct scan_number number;
    size_t length;

    switch (byte) {
    case '"':
        return sg_scan_string(scan, nothing, sizeof(nothing), &length);
    case '{':
    case '[':
        scan->at++;
        ++*depth;
        return true;
    case '}':
    case ']':
        scan->at++;
        return (*depth)-- > 0;
    case ',':
    case ':':
        scan->at++;
        return *depth > 0;
    case 't':
        return scan_word(scan, "true");
    case 'f':
        return scan_word(scan, "false");
    case 'n':
        return scan_word(scan, "null");
    default:
        return sg_scan_number(scan, &number);
    }
}

bool sg_scan_skip(struct scan *scan)
{
    unsigned depth = 0;

    do
        if (!skip_one(scan, &depth))
            return false;
    while (depth > 0);
    return true;
}
