/* new[] and a delete without brackets. */
#include "sample.h"
#include <cstdio>
#include <cstring>

static NOINLINE char *make_buffer(size_t bytes)
{
    return new char[bytes]; /* ALLOC */
}

static NOINLINE void drop(char *buffer)
{
    if (IS_FIXED)
        delete[] buffer;
    else
        delete (char *)opaque(buffer); /* BUG */
}

int main()
{
    char *buffer = make_buffer(80);

    memset(buffer, 'b', 80);
    std::printf("%c\n", buffer[79]);
    drop(buffer);
    return 0;
}
