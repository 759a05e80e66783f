#include <string.h>

void allocator_writes(void *address);

int main(int argc, char *argv[])
{
    static char block[100];

    allocator_writes(block);
    if (block[0] != 7 || block[99] != 7)
        return 1;
    if (argc > 1)
        memset(block, argv[1][0], sizeof(block));
    return 0;
}
