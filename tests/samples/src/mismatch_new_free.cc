/* An object is given to a C interface, which frees it. */
#include "sample.h"
#include <cstdio>
#include <cstdlib>

struct Options {
    int level = 3;
    char pad[60] = {};
};

static NOINLINE Options *make()
{
    return new Options; /* ALLOC */
}

static NOINLINE void drop(Options *options)
{
    if (IS_FIXED)
        delete options;
    else
        std::free(opaque(options)); /* BUG */
}

int main()
{
    Options *options = make();

    std::printf("%d\n", options->level);
    drop(options);
    return 0;
}
