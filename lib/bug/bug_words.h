/* Words that the reports share. Strings that come from a program (its symbols, its paths) go out
 * through here: what a terminal would obey is replaced. */
#ifndef SG_BUG_BUG_WORDS_H
#define SG_BUG_BUG_WORDS_H

#include "bug.h"

/* Bytes of the character at `bytes`, of which `length` follow; 0: one that must not be shown, that
 * is a control character, one that changes the direction of text or has no width, or no UTF-8. */
HIDDEN MUST_USE size_t sg_bug_glyph(const char *bytes, size_t length);

/* Columns that a string takes, a question mark for each byte that must not be shown. */
HIDDEN MUST_USE size_t sg_bug_width(const char *string);

/* At most `most` columns, which are at least 4, of it; the end or the beginning is cut off. */
HIDDEN void sg_bug_say_head(struct text *text, const char *string, size_t most);
HIDDEN void sg_bug_say_tail(struct text *text, const char *string, size_t most);

HIDDEN void sg_bug_say_count(struct text *text, uint64_t value);       /* 7,080 */
HIDDEN void sg_bug_say_bytes(struct text *text, uint64_t value);       /* 1 byte, 7,080 bytes */
HIDDEN void sg_bug_say_signed(struct text *text, int64_t value);       /* -1 */
HIDDEN void sg_bug_say_offset(struct text *text, int64_t value);       /* +4, -1 */
HIDDEN void sg_bug_say_time(struct text *text, uint64_t microseconds); /* 12 us, 3 ms */

/* What a program called, as it wrote it: delete[], free(). */
HIDDEN void sg_bug_say_call(struct text *text, const char *function);

HIDDEN MUST_USE const char *sg_bug_base_name(const char *path);

/* Base name of the module, + and offset; the bare address if it lies in no module. */
HIDDEN void sg_bug_say_place(struct text *text, const struct bug *bug,
                             const struct bug_frame *frame);

/* A path as it is shown: what is absolute keeps its last folder only. */
HIDDEN MUST_USE const char *sg_bug_short_path(const char *path);

/* `first` of the program: neither NULL nor another string. */
HIDDEN MUST_USE bool sg_bug_is(const char *first, const char *second);

/* The last byte of a text that is full is a newline: a reader may wait for one. */
HIDDEN void sg_bug_end_line(struct text *text);

/* The whole story in one line, without code, prefix and newline. */
HIDDEN void sg_bug_say_headline(struct text *text, const struct bug *bug);

/* What lies at an address that is no block: "the stack of this thread". */
HIDDEN void sg_bug_say_where(struct text *text, const struct bug *bug);

#endif
