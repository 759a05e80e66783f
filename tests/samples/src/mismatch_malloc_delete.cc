/* A C library's string is deleted. */
#include "sample.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>

static NOINLINE char *user_name()
{
    return strdup("bartholomew"); /* ALLOC */
}

static NOINLINE void drop(char *name)
{
    if (IS_FIXED)
        std::free(name);
    else
        delete (char *)opaque(name); /* BUG */
}

int main()
{
    char *name = user_name();

    std::printf("%s\n", name);
    drop(name);
    return 0;
}
