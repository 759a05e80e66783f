/* The copies of wide strings; counted as in strings.c. Limits are in characters. */
#include "wide.h"

static ALWAYS_INLINE wchar_t *copy_string(const char *name, wchar_t *to, const wchar_t *from,
                                          size_t object_count)
{
    size_t length = wide_length(from, SIZE_MAX);

    check_wide(name, to, length + 1, object_count);
    copy_move(to, from, (length + 1) * sizeof(wchar_t));
    return to + length;
}

static ALWAYS_INLINE wchar_t *copy_padded(const char *name, wchar_t *to, const wchar_t *from,
                                          const size_t count[2])
{
    size_t length = wide_length(from, count[0]);

    check_wide(name, to, count[0], count[1]);
    copy_move(to, from, length * sizeof(wchar_t));
    wide_fill(to + length, 0, count[0] - length);
    return to + length;
}

static ALWAYS_INLINE wchar_t *append(const char *name, wchar_t *to, const wchar_t *from,
                                     const size_t count[2])
{
    size_t before = wide_length(to, SIZE_MAX);
    size_t added = wide_length(from, count[0]);

    check_wide(name, to, before + added + 1, count[1]);
    copy_move(to + before, from, added * sizeof(wchar_t));
    to[before + added] = 0;
    return to;
}

#define LIMITS(count, object_count)                                                                \
    (const size_t[2])                                                                              \
    {                                                                                              \
        count, object_count                                                                        \
    }

EXPORT wchar_t *wcscpy(wchar_t *to, const wchar_t *from)
{
    copy_string("wcscpy", to, from, UNKNOWN_BYTES);
    return to;
}

EXPORT wchar_t *__wcscpy_chk(wchar_t *to, const wchar_t *from, size_t object_count)
{
    copy_string("wcscpy", to, from, object_count);
    return to;
}

EXPORT wchar_t *wcpcpy(wchar_t *to, const wchar_t *from)
{
    return copy_string("wcpcpy", to, from, UNKNOWN_BYTES);
}

EXPORT wchar_t *__wcpcpy_chk(wchar_t *to, const wchar_t *from, size_t object_count)
{
    return copy_string("wcpcpy", to, from, object_count);
}

EXPORT wchar_t *wcsncpy(wchar_t *to, const wchar_t *from, size_t count)
{
    copy_padded("wcsncpy", to, from, LIMITS(count, UNKNOWN_BYTES));
    return to;
}

EXPORT wchar_t *__wcsncpy_chk(wchar_t *to, const wchar_t *from, size_t count, size_t object_count)
{
    copy_padded("wcsncpy", to, from, LIMITS(count, object_count));
    return to;
}

EXPORT wchar_t *wcpncpy(wchar_t *to, const wchar_t *from, size_t count)
{
    return copy_padded("wcpncpy", to, from, LIMITS(count, UNKNOWN_BYTES));
}

EXPORT wchar_t *__wcpncpy_chk(wchar_t *to, const wchar_t *from, size_t count, size_t object_count)
{
    return copy_padded("wcpncpy", to, from, LIMITS(count, object_count));
}

EXPORT wchar_t *wcscat(wchar_t *to, const wchar_t *from)
{
    return append("wcscat", to, from, LIMITS(SIZE_MAX, UNKNOWN_BYTES));
}

EXPORT wchar_t *__wcscat_chk(wchar_t *to, const wchar_t *from, size_t object_count)
{
    return append("wcscat", to, from, LIMITS(SIZE_MAX, object_count));
}

EXPORT wchar_t *wcsncat(wchar_t *to, const wchar_t *from, size_t count)
{
    return append("wcsncat", to, from, LIMITS(count, UNKNOWN_BYTES));
}

EXPORT wchar_t *__wcsncat_chk(wchar_t *to, const wchar_t *from, size_t count, size_t object_count)
{
    return append("wcsncat", to, from, LIMITS(count, object_count));
}
