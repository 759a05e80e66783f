#include "symbols_printable.h"

/* How many bytes the character has that begins there; 0: it is not well-formed. */
static size_t decode(const uint8_t *bytes, size_t length, uint32_t *ret_character)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = bytes[0];
    size_t count = first < 0x80   ? 1
                   : first < 0xc0 ? 0
                   : first < 0xe0 ? 2
                   : first < 0xf0 ? 3
                   : first < 0xf8 ? 4
                                  : 0;
    uint32_t character = count < 2 ? first : first & (0x7fu >> count);

    if (count == 0 || count > length)
        return 0;
    for (size_t i = 1; i < count; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (bytes[i] & 0x3f);
    }
    if (character < lowest[count] || character > 0x10ffff ||
        (character >= 0xd800 && character < 0xe000))
        return 0;
    *ret_character = character;
    return count;
}

static bool is_printable(uint32_t character)
{
    if (character < 0xa0)
        return character >= ' ' && character <= '~';
    return !(character >= 0x200b && character <= 0x200f) && /* of no width, and directions */
           !(character >= 0x2028 && character <= 0x202e) && /* ends of lines, directions */
           !(character >= 0x2060 && character <= 0x206f) && character != 0xfeff;
}

void sg_symbols_put_printable(struct text *text, const char *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        uint32_t character;
        size_t count = decode((const uint8_t *)bytes + at, length - at, &character);

        if (text->length + (count > 0 ? count : 1) >= text->capacity)
            return;
        if (count > 0 && is_printable(character))
            sg_text_bytes(text, bytes + at, count);
        else
            sg_text_string(text, bytes[at] == '\t' ? " " : "?");
        at += count > 0 ? count : 1;
    }
}
