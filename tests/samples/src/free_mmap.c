/* A mapped file is released as if it had been read. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static NOINLINE char *load(void)
{
    return (char *)mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static NOINLINE void unload(char *image)
{
    if (IS_FIXED)
        munmap(image, 8192);
    else
        free(opaque(image)); /* BUG */
}

int main(void)
{
    char *image = load();

    image[0] = 'i';
    printf("%c\n", image[0]);
    unload(image);
    return 0;
}
