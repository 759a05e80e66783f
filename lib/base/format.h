/* Text into a fixed buffer, without stdio: callable inside malloc and in a signal handler.
 * What does not fit is cut off; the text is always terminated. */
#ifndef SG_BASE_FORMAT_H
#define SG_BASE_FORMAT_H

#include "compiler.h"

struct text {
    char *bytes;
    size_t capacity; /* bytes, the terminator included; at least 1 */
    size_t length;
};

HIDDEN struct text sg_text_begin(char *buffer, size_t capacity);
HIDDEN void sg_text_string(struct text *text, const char *string);
HIDDEN void sg_text_bytes(struct text *text, const char *bytes, size_t length);
HIDDEN void sg_text_decimal(struct text *text, uint64_t value);
HIDDEN void sg_text_hex(struct text *text, uint64_t value); /* with 0x in front */

/* The lowest `count` hexadecimal digits of `value`, leading zeroes too. */
HIDDEN void sg_text_hex_digits(struct text *text, uint64_t value, unsigned count);

#endif
