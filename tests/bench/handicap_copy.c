/* Copies that take their time, beside handicap.c: prices.py must see it. */
#include <stddef.h>

enum { BURN_TURNS = 100 };

static void burn(void)
{
    for (volatile int turn = 0; turn < BURN_TURNS; turn++)
        ;
}

void *memcpy(void *restrict target, const void *restrict source, size_t bytes)
{
    char *to = target;
    const char *from = source;

    burn();
    for (size_t i = 0; i < bytes; i++) {
        to[i] = from[i];
        __asm__ volatile("" : : : "memory"); /* or the compiler would call memcpy */
    }
    return target;
}

char *strcpy(char *restrict target, const char *restrict source)
{
    size_t i = 0;

    burn();
    for (; source[i] != '\0'; i++)
        target[i] = source[i];
    target[i] = '\0';
    return target;
}
