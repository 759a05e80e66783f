/* Target: `B` and lines of base64, `R` and pairs of a count and a byte, `H` and a length of four bytes, for
 * which memory is taken in advance. */
#include "bug.h"
#include "owner.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH_MOST (1u << 20)

volatile unsigned result;

static void *take(size_t bytes)
{
    void *block = malloc(bytes);

    if (block == NULL)
        abort();
    return block;
}

static int value_of(uint8_t letter)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = letter == '\0' ? NULL : strchr(letters, letter);

    return at == NULL ? -1 : (int)(at - letters);
}

static void base64(const uint8_t *text, size_t length)
{
    size_t count = 0, bytes = HAS_BUG(11) ? length / 4 * 3 : length * 3 / 4 + 1;
    uint8_t *out = take(bytes == 0 ? 1 : bytes);
    unsigned bits = 0, held = 0;

    for (size_t i = 0; i < length; i++) {
        int value = value_of(text[i]);

        if (value < 0 && HAS_BUG(15))
            return;
        if (value < 0)
            break;
        held = held << 6 | (unsigned)value;
        bits += 6;
        if (bits >= 8)
            out[count++] = (uint8_t)(held >> (bits -= 8));
    }
    for (size_t i = 0; i < count; i++)
        result += out[i];
    free(out);
}

static void lines(const uint8_t *at, const uint8_t *end)
{
    while (at < end) {
        const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((newline == NULL ? end : newline) - at);

        base64(at, length);
        at += length + 1;
    }
}

static void runs(const uint8_t *pairs, size_t length)
{
    size_t total = 0;

    for (size_t i = 0; i + 1 < length; i += 2)
        total += pairs[i];
    uint8_t *out = take((HAS_BUG(12) ? (uint8_t)total : total) + 1), *end = out;
    for (size_t i = 0; i + 1 < length; i += 2) {
        memset(end, pairs[i + 1], pairs[i]);
        end += pairs[i];
    }
    result += out == end ? 0 : out[0];
    free(out);
}

static void announced(const uint8_t *bytes)
{
    uint32_t length = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    uint8_t *block;

    if (length > LENGTH_MOST && !HAS_BUG(14))
        return;
    block = malloc(length + (size_t)1);
    if (block == NULL && !HAS_BUG(14))
        abort();
    ((volatile uint8_t *)block)[0] = 1;
    free(block);
}

static void named(const uint8_t *name, size_t length)
{
    char *copy = owner_make(length + 1);

    memcpy(copy, name, length);
    copy[length] = '\0';
    result += (uint8_t)copy[0];
    if (HAS_BUG(13))
        free(copy);
    else
        owner_end(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == 'B')
        lines(data + 1, data + size);
    else if (data[0] == 'R')
        runs(data + 1, size - 1);
    else if (data[0] == 'H' && size >= 5)
        announced(data + 1);
    else if (data[0] == 'N')
        named(data + 1, size - 1);
    return 0;
}
