/* Every interposed function, called through a table: `bytes` are what it shall write at `to`.
 * The source is as long as that, and ends there. */
#ifndef CALLS_H
#define CALLS_H

#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>

#define WIDE(bytes) ((bytes) / sizeof(wchar_t))

/* name, smallest unit, call. `from` is a string of bytes - unit characters for the string ones. */
#define CALLS(X)                                                                                   \
    X(memcpy, 1, memcpy(to, from, bytes))                                                          \
    X(memmove, 1, memmove(to, from, bytes))                                                        \
    X(mempcpy, 1, mempcpy(to, from, bytes))                                                        \
    X(memset, 1, memset(to, 7, bytes))                                                             \
    X(bcopy, 1, (bcopy(from, to, bytes), to))                                                      \
    X(bzero, 1, (bzero(to, bytes), to))                                                            \
    X(explicit_bzero, 1, (explicit_bzero(to, bytes), to))                                          \
    X(memccpy, 1, memccpy(to, from, 0, bytes + 1))                                                 \
    X(strcpy, 1, strcpy(to, from))                                                                 \
    X(stpcpy, 1, stpcpy(to, from))                                                                 \
    X(strncpy, 1, strncpy(to, from, bytes))                                                        \
    X(stpncpy, 1, stpncpy(to, from, bytes))                                                        \
    X(strcat, 1, strcat(to, from))                                                                 \
    X(strncat, 1, strncat(to, from, bytes - 1))                                                    \
    X(wmemcpy, 4, wmemcpy(to, from, WIDE(bytes)))                                                  \
    X(wmemmove, 4, wmemmove(to, from, WIDE(bytes)))                                                \
    X(wmempcpy, 4, wmempcpy(to, from, WIDE(bytes)))                                                \
    X(wmemset, 4, wmemset(to, 7, WIDE(bytes)))                                                     \
    X(wcscpy, 4, wcscpy(to, from))                                                                 \
    X(wcpcpy, 4, wcpcpy(to, from))                                                                 \
    X(wcsncpy, 4, wcsncpy(to, from, WIDE(bytes)))                                                  \
    X(wcpncpy, 4, wcpncpy(to, from, WIDE(bytes)))                                                  \
    X(wcscat, 4, wcscat(to, from))                                                                 \
    X(wcsncat, 4, wcsncat(to, from, WIDE(bytes) - 1))

#endif
