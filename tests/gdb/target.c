/* What gdb is asked about: blocks in each state, some of them damaged. */
#include <stdlib.h>
#include <string.h>

#define MANY 300

char *whole, *over, *under, *freed, *written, *moved, *many[MANY];

__attribute__((noinline)) char *make_many(size_t bytes)
{
    return malloc(bytes);
}

__attribute__((noinline)) void settled(void)
{
    __asm__ volatile("");
}

int main(void)
{
    whole = calloc(3, 7);
    over = malloc(24);
    under = malloc(40);
    freed = malloc(1000);
    written = malloc(50);
    for (int i = 0; i < MANY; i++)
        many[i] = make_many(100);
    moved = realloc(many[0], 5000); /* many[0] points to what was there */
    free(freed);
    free(written);
    settled();
    over[24] = 1;
    under[-3] = 1;
    memset(written + 20, 'x', 2);
    free(over);
    return 0;
}
