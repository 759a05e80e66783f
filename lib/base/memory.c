/* See compiler.h. The processor's own string instructions: fast for what is long, and what is short
 * is copied inline. No call, so none to ourselves. */
#include "compiler.h"

HIDDEN void *sg_memset(void *to, int value, size_t bytes);
HIDDEN void *sg_memcpy(void *restrict to, const void *restrict from, size_t bytes);
HIDDEN void *sg_memmove(void *to, const void *from, size_t bytes);

#if defined(__x86_64__)

void *sg_memset(void *to, int value, size_t bytes)
{
    void *place = to;

    __asm__ volatile("rep stosb" : "+D"(place), "+c"(bytes) : "a"(value) : "memory");
    return to;
}

static void copy_upwards(void *to, const void *from, size_t bytes)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

#else

void *sg_memset(void *to, int value, size_t bytes)
{
    volatile unsigned char *place = to; /* volatile: a loop stays a loop */

    for (size_t i = 0; i < bytes; i++)
        place[i] = (unsigned char)value;
    return to;
}

static void copy_upwards(void *to, const void *from, size_t bytes)
{
    volatile unsigned char *place = to;
    const unsigned char *source = from;

    for (size_t i = 0; i < bytes; i++)
        place[i] = source[i];
}

#endif

void *sg_memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    copy_upwards(to, from, bytes);
    return to;
}

void *sg_memmove(void *to, const void *from, size_t bytes)
{
    volatile unsigned char *place = to;
    const unsigned char *source = from;

    if ((uintptr_t)to - (uintptr_t)from >= bytes) {
        copy_upwards(to, from, bytes);
        return to;
    }
    while (bytes-- > 0)
        place[bytes] = source[bytes];
    return to;
}
