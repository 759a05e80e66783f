/* A program with settings of its own: a preloaded library sees them if the symbol is exported. */
#include <stdio.h>
#include <stdlib.h>

extern const char *const spanguard_options;
const char *const spanguard_options = "thread_cache_bytes=65536:dirty_bytes=7:canry=1";

int main(void)
{
    void *block = malloc(1);

    puts(block != NULL ? "alive" : "no memory");
    free(block);
    return 0;
}
