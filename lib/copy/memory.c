/* memcpy and its kin. Overlap is nowhere an error: programs do it, and a right copy harms
 * nobody. */
#include "check.h"

/* Each function and its fortified twin: name, fortified name, what comes back. */
#define MOVERS(X)                                                                                  \
    X(memcpy, __memcpy_chk, to)                                                                    \
    X(memmove, __memmove_chk, to)                                                                  \
    X(mempcpy, __mempcpy_chk, (char *)to + bytes)

static ALWAYS_INLINE void move(const char *name, void *to, const void *from, size_t bytes)
{
    check_write(name, to, bytes);
    check_read(name, from, bytes);
    copy_move(to, from, bytes);
}

static ALWAYS_INLINE void fill(const char *name, void *to, int value, size_t bytes)
{
    check_write(name, to, bytes);
    copy_fill(to, (uint8_t)value, bytes);
}

#define MOVER(name, fortified, result)                                                             \
    EXPORT void *name(void *to, const void *from, size_t bytes)                                    \
    {                                                                                              \
        move(#name, to, from, bytes);                                                              \
        return result;                                                                             \
    }                                                                                              \
                                                                                                   \
    EXPORT void *fortified(void *to, const void *from, size_t bytes, size_t object_bytes)          \
    {                                                                                              \
        check_write(#name, to, bytes);                                                             \
        check_object(bytes, object_bytes);                                                         \
        check_read(#name, from, bytes);                                                            \
        copy_move(to, from, bytes);                                                                \
        return result;                                                                             \
    }
MOVERS(MOVER)

EXPORT void *__mempcpy(void *to, const void *from, size_t bytes) __attribute__((alias("mempcpy")));

EXPORT void bcopy(const void *from, void *to, size_t bytes)
{
    move("bcopy", to, from, bytes);
}

EXPORT void *memset(void *to, int value, size_t bytes)
{
    fill("memset", to, value, bytes);
    return to;
}

EXPORT void *__memset_chk(void *to, int value, size_t bytes, size_t object_bytes)
{
    check_write("memset", to, bytes);
    check_object(bytes, object_bytes);
    copy_fill(to, (uint8_t)value, bytes);
    return to;
}

EXPORT void bzero(void *to, size_t bytes)
{
    fill("bzero", to, 0, bytes);
}

/* What the compiler must not leave out is called in another library: it cannot. */
EXPORT void explicit_bzero(void *to, size_t bytes)
{
    fill("explicit_bzero", to, 0, bytes);
}

EXPORT void __explicit_bzero_chk(void *to, size_t bytes, size_t object_bytes)
{
    check_write("explicit_bzero", to, bytes);
    check_object(bytes, object_bytes);
    copy_fill(to, 0, bytes);
}

EXPORT void *memccpy(void *to, const void *from, int last, size_t bytes)
{
    size_t before = sg_copy_find(from, (uint8_t)last, bytes);
    size_t moved = before == bytes ? bytes : before + 1;

    check_write("memccpy", to, moved);
    copy_move(to, from, moved);
    return before == bytes ? NULL : (char *)to + moved;
}
