/* Functions inlined into one another, down to the library under test. */
#include "probe.h"

#include <stdio.h>

static int table[16] = {1};

static inline __attribute__((always_inline)) void innermost(int value)
{
    table[value & 15]++;
    probe_stack(); /* INNERMOST */
    table[value & 15]++;
}

static inline __attribute__((always_inline)) void middle(int value)
{
    innermost(value + 1); /* MIDDLE */
    table[2]++;
}

static __attribute__((noinline)) void outer(int value)
{
    middle(value * 2); /* OUTER */
    table[3]++;
}

int main(int count, char **words)
{
    (void)words;
    outer(count); /* MAIN */
    return table[4] != 0;
}
