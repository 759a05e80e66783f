/* A library for lifecycle.cc that allocates in its constructor and frees in its destructor. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *early_block;

__attribute__((constructor(101))) static void allocate_before_main(void)
{
    early_block = malloc(1000);
    memset(early_block, 'e', 1000);
    free(calloc(300, 1000));
}

__attribute__((destructor(101))) static void free_after_all(void)
{
    static const char text[] = "library destructor\n";

    free(early_block);
    free(malloc(64));
    if (write(STDOUT_FILENO, text, sizeof text - 1) < 0)
        _exit(9);
}
