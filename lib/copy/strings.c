/* The copies of strings. What they will write is counted first: the string with its terminator,
 * and for strcat and strncat the whole string that results, from its start. */
#include "check.h"

static ALWAYS_INLINE size_t length_of(const char *string)
{
    return sg_copy_find(string, 0, SIZE_MAX);
}

static ALWAYS_INLINE void check_target(const char *name, const void *to, size_t bytes,
                                       size_t object_bytes)
{
    check_write(name, to, bytes);
    check_object(bytes, object_bytes);
}

/* The terminator that was written. */
static ALWAYS_INLINE char *copy_string(const char *name, char *to, const char *from,
                                       size_t object_bytes)
{
    size_t length = length_of(from);

    check_target(name, to, length + 1, object_bytes);
    copy_move(to, from, length + 1);
    return to + length;
}

/* Fills up with zeroes; the first of them, or the end. */
static ALWAYS_INLINE char *copy_padded(const char *name, char *to, const char *from,
                                       const size_t bytes[2])
{
    size_t length = sg_copy_find(from, 0, bytes[0]);

    check_target(name, to, bytes[0], bytes[1]);
    copy_move(to, from, length);
    copy_fill(to + length, 0, bytes[0] - length);
    return to + length;
}

static ALWAYS_INLINE char *append(const char *name, char *to, const char *from,
                                  const size_t bytes[2])
{
    size_t before = length_of(to);
    size_t added = sg_copy_find(from, 0, bytes[0]);

    check_target(name, to, before + added + 1, bytes[1]);
    copy_move(to + before, from, added);
    to[before + added] = 0;
    return to;
}

#define LIMITS(bytes, object_bytes)                                                                \
    (const size_t[2])                                                                              \
    {                                                                                              \
        bytes, object_bytes                                                                        \
    }

EXPORT char *strcpy(char *to, const char *from)
{
    copy_string("strcpy", to, from, UNKNOWN_BYTES);
    return to;
}

EXPORT char *__strcpy_chk(char *to, const char *from, size_t object_bytes)
{
    copy_string("strcpy", to, from, object_bytes);
    return to;
}

EXPORT char *stpcpy(char *to, const char *from)
{
    return copy_string("stpcpy", to, from, UNKNOWN_BYTES);
}

EXPORT char *__stpcpy_chk(char *to, const char *from, size_t object_bytes)
{
    return copy_string("stpcpy", to, from, object_bytes);
}

EXPORT char *strncpy(char *to, const char *from, size_t bytes)
{
    copy_padded("strncpy", to, from, LIMITS(bytes, UNKNOWN_BYTES));
    return to;
}

EXPORT char *__strncpy_chk(char *to, const char *from, size_t bytes, size_t object_bytes)
{
    copy_padded("strncpy", to, from, LIMITS(bytes, object_bytes));
    return to;
}

EXPORT char *stpncpy(char *to, const char *from, size_t bytes)
{
    return copy_padded("stpncpy", to, from, LIMITS(bytes, UNKNOWN_BYTES));
}

EXPORT char *__stpncpy_chk(char *to, const char *from, size_t bytes, size_t object_bytes)
{
    return copy_padded("stpncpy", to, from, LIMITS(bytes, object_bytes));
}

EXPORT char *strcat(char *to, const char *from)
{
    return append("strcat", to, from, LIMITS(SIZE_MAX, UNKNOWN_BYTES));
}

EXPORT char *__strcat_chk(char *to, const char *from, size_t object_bytes)
{
    return append("strcat", to, from, LIMITS(SIZE_MAX, object_bytes));
}

EXPORT char *strncat(char *to, const char *from, size_t bytes)
{
    return append("strncat", to, from, LIMITS(bytes, UNKNOWN_BYTES));
}

EXPORT char *__strncat_chk(char *to, const char *from, size_t bytes, size_t object_bytes)
{
    return append("strncat", to, from, LIMITS(bytes, object_bytes));
}

EXPORT char *__stpcpy(char *to, const char *from) __attribute__((alias("stpcpy")));
EXPORT char *__stpncpy(char *to, const char *from, size_t bytes) __attribute__((alias("stpncpy")));
