/* The fortified twins keep their own promise for memory that is not the heap's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char *argv[])
{
    char target[24];

    if (argc != 3)
        return 2;
    strcpy(target, argv[1]);
    memcpy(target, argv[1], strtoul(argv[2], NULL, 10));
    return puts(target) == EOF;
}
