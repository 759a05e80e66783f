/* A plugin whose only function makes a block; built twice, with another name for it. */
#include <stdlib.h>

__attribute__((noinline)) static char *MAKE(size_t bytes)
{
    char *block = malloc(bytes);

    __asm__ volatile("" : "+r"(block)); /* no jump: the call has a frame here */
    return block;
}

char *plugin_make(size_t bytes)
{
    char *block = MAKE(bytes);

    __asm__ volatile("" : "+r"(block));
    return block;
}
