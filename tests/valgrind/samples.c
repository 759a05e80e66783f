/* usage: samples NUMBER: one mistake, on the line that bears its number. */
#include <stdlib.h>
#include <string.h>

volatile int sink;

static void over_and_under(int number, char *block)
{
    if (number == 1)
        sink = block[25]; /* 1: read, one byte past the end */
    if (number == 2)
        block[25] = 3; /* 2: write, one byte past the end */
    if (number == 3)
        sink = block[-1]; /* 3: read, one byte before */
    if (number == 4)
        sink = block[24 + 16 + 16]; /* 4: read, beyond the redzone */
}

static void ended(int number, char *block)
{
    char *other;

    if (number == 5) {
        free(block);
        sink = block[7]; /* 5: read after free */
    }
    if (number == 6) {
        other = realloc(block, 26);
        if (other != NULL)
            block[2] = 1; /* 6: write after realloc */
    }
}

static void unset(int number, char *block)
{
    char *longer;

    if (number == 7)
        sink = block[3] == 5 ? 1 : 2; /* 7: never written */
    if (number == 8) {
        memset(block, 0, 25);
        longer = realloc(block, 40);
        if (longer != NULL)
            sink = longer[24] == 0 ? 1 : 2;
        if (longer != NULL)
            sink = longer[25] == 0 ? 1 : 2; /* 8: never written, since it grew */
    }
}

/* Nothing to report: all of it is the program's, and written. */
static void correct(void)
{
    char *block = calloc(5, 5), *large = malloc(400000), *grown;

    if (block == NULL || large == NULL)
        abort();
    memset(large, 1, 400000);
    grown = realloc(large, 400100);
    if (grown == NULL)
        abort();
    sink = block[24] == 0 && grown[399999] == 1 ? 1 : 2;
    for (int i = 0; i < 2000; i++) {
        char *small = malloc((size_t)i % 300);

        if (small != NULL && i % 300 > 0)
            memset(small, i, (size_t)i % 300);
        free(small);
    }
    free(block);
    free(grown);
}

int main(int argc, char **argv)
{
    int number = argc > 1 ? atoi(argv[1]) : 0;
    char *block = malloc(25);

    if (number == 0)
        correct();
    over_and_under(number, block);
    ended(number, block);
    unset(number, block);
    return 0;
}
