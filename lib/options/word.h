/* A piece of text that is not terminated. */
#ifndef SG_OPTIONS_WORD_H
#define SG_OPTIONS_WORD_H

#include "compiler.h"

struct word {
    const char *bytes;
    size_t length;
};

static inline struct word word_of(const char *string)
{
    return (struct word){string, __builtin_strlen(string)};
}

static inline bool word_is(struct word word, const char *string)
{
    return __builtin_strlen(string) == word.length &&
           __builtin_memcmp(word.bytes, string, word.length) == 0;
}

static inline bool word_begins(struct word word, const char *string)
{
    size_t length = __builtin_strlen(string);

    return word.length >= length && __builtin_memcmp(word.bytes, string, length) == 0;
}

static inline struct word word_skip(struct word word, size_t length)
{
    return (struct word){word.bytes + length, word.length - length};
}

static inline bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static inline struct word word_trim(struct word word)
{
    while (word.length > 0 && is_blank(word.bytes[0]))
        word = word_skip(word, 1);
    while (word.length > 0 && is_blank(word.bytes[word.length - 1]))
        word.length--;
    return word;
}

/* The index of the first `byte`, or the length. */
static inline size_t word_find(struct word word, char byte)
{
    const char *found = word.length == 0 ? NULL : __builtin_memchr(word.bytes, byte, word.length);

    return found == NULL ? word.length : (size_t)(found - word.bytes);
}

/* Cuts `length` bytes off the front of `rest`, and the separator behind them. */
static inline struct word word_cut(struct word *rest, size_t length)
{
    struct word front = {rest->bytes, length};

    *rest = word_skip(*rest, length < rest->length ? length + 1 : length);
    return front;
}

#endif
