/* A count of wide characters whose bytes no number holds, into a block of 64 bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <wchar.h>

int main(void)
{
    volatile size_t count = SIZE_MAX / sizeof(wchar_t) + 2; /* times four: 4 */
    wchar_t *block = malloc(64);

    if (block == NULL)
        return 2;
    wmemset(block, L'x', count);
    return 0;
}
