#include "format.h"

struct text sg_text_begin(char *buffer, size_t capacity)
{
    buffer[0] = '\0';
    return (struct text){.bytes = buffer, .capacity = capacity, .length = 0};
}

void sg_text_bytes(struct text *text, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length && text->length + 1 < text->capacity; i++)
        text->bytes[text->length++] = bytes[i];
    text->bytes[text->length] = '\0';
}

void sg_text_string(struct text *text, const char *string)
{
    sg_text_bytes(text, string, __builtin_strlen(string));
}

static void digits(struct text *text, uint64_t value, unsigned radix)
{
    char reversed[20]; /* 2^64 has 20 decimal digits */
    size_t count = 0;

    do {
        reversed[count++] = "0123456789abcdef"[value % radix];
        value /= radix;
    } while (value != 0);
    while (count > 0)
        sg_text_bytes(text, &reversed[--count], 1);
}

void sg_text_decimal(struct text *text, uint64_t value)
{
    digits(text, value, 10);
}

void sg_text_hex(struct text *text, uint64_t value)
{
    sg_text_string(text, "0x");
    digits(text, value, 16);
}

void sg_text_hex_digits(struct text *text, uint64_t value, unsigned count)
{
    while (count-- > 0)
        sg_text_bytes(text, &"0123456789abcdef"[value >> (4 * count) & 15], 1);
}
