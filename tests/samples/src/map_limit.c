/* A program uses up its mappings, and then is out of memory with most memory free. */
#include "sample.h"
#include <errno.h>
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

int main(void)
{
    char *region = (char *)mmap(NULL, PAGES * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (region == MAP_FAILED || split(region) == PAGES)
        return 1;
    if (IS_FIXED)
        munmap(region, PAGES * PAGE);
    for (int i = 0; i < 32; i++) {
        if (opaque(malloc(4 << 20)) == NULL) { /* BUG */
            static const char text[] = "out of memory\n";
            fputs(text, stdout);
            return 0;
        }
    }
    printf("enough memory\n");
    return 0;
}
