/* A program uses up its mappings, and then is out of memory with most memory free. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE 4096ul
#define PAGES 400000ul

static NOINLINE size_t split(char *region)
{
    for (size_t i = 1; i < PAGES; i += 2)
        if (mprotect(region + i * PAGE, PAGE, PROT_NONE) != 0)
            return i;
    return PAGES;
}

static char *blocks[32];

static NOINLINE int fill(void)
{
    for (int i = 0; i < 32; i++) {
        blocks[i] = (char *)opaque(malloc(4 << 20)); /* BUG */
        if (blocks[i] == NULL)
            return 0;
    }
    return 1;
}

int main(void)
{
    char *region = (char *)mmap(NULL, PAGES * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (region == MAP_FAILED || split(region) == PAGES)
        return 1;
    if (IS_FIXED)
        munmap(region, PAGES * PAGE);
    int is_enough = fill();
    if (!IS_FIXED)
        munmap(region, PAGES * PAGE);
    for (int i = 0; i < 32; i++)
        free(blocks[i]);
    printf("%s memory\n", is_enough ? "enough" : "not enough");
    return 0;
}
