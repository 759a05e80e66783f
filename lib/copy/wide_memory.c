#include "wide.h"

static ALWAYS_INLINE wchar_t *move(const char *name, wchar_t *to, const wchar_t *from, size_t count)
{
    check_write(name, to, wide_bytes(count));
    check_read(name, from, wide_bytes(count));
    copy_move(to, from, count * sizeof(wchar_t));
    return to;
}

#define MOVERS(X)                                                                                  \
    X(wmemcpy, __wmemcpy_chk, to)                                                                  \
    X(wmemmove, __wmemmove_chk, to)                                                                \
    X(wmempcpy, __wmempcpy_chk, to + count)

#define MOVER(name, fortified, result)                                                             \
    EXPORT wchar_t *name(wchar_t *to, const wchar_t *from, size_t count)                           \
    {                                                                                              \
        move(#name, to, from, count);                                                              \
        return result;                                                                             \
    }                                                                                              \
                                                                                                   \
    EXPORT wchar_t *fortified(wchar_t *to, const wchar_t *from, size_t count, size_t object_count) \
    {                                                                                              \
        check_wide(#name, to, count, object_count);                                                \
        move(#name, to, from, count);                                                              \
        return result;                                                                             \
    }
MOVERS(MOVER)

EXPORT wchar_t *wmemset(wchar_t *to, wchar_t value, size_t count)
{
    check_wide("wmemset", to, count, UNKNOWN_BYTES);
    wide_fill(to, value, count);
    return to;
}

EXPORT wchar_t *__wmemset_chk(wchar_t *to, wchar_t value, size_t count, size_t object_count)
{
    check_wide("wmemset", to, count, object_count);
    wide_fill(to, value, count);
    return to;
}
