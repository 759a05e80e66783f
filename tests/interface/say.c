/* A small program to look at from outside: `say alive|info|stats|secure`. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

/* Blocks of many sizes, some freed, so that the heap has something to tell. */
static int use_the_heap(void)
{
    static char *blocks[500];
    int whole = 1;

    for (int i = 0; i < 500; i++) {
        size_t bytes = (size_t)i * i + 1;

        blocks[i] = malloc(bytes);
        memset(blocks[i], i & 0x7f, bytes);
    }
    for (int i = 0; i < 500; i += 2)
        free(blocks[i]);
    for (int i = 1; i < 500; i += 2)
        whole &= blocks[i][0] == (i & 0x7f) && blocks[i][(size_t)i * i] == (i & 0x7f);
    return whole;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "alive";

    if (!use_the_heap())
        return 1;
    if (strcmp(what, "info") == 0)
        return malloc_info(0, stdout);
    if (strcmp(what, "stats") == 0) {
        malloc_stats();
        return 0;
    }
    if (strcmp(what, "secure") == 0)
        printf("AT_SECURE is %lu\n", getauxval(AT_SECURE));
    puts("alive");
    return 0;
}
