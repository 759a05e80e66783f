/* One object, released as an array. */
#include "sample.h"
#include <cstdio>

static NOINLINE long *make_counter()
{
    return new long(1); /* ALLOC */
}

static NOINLINE void drop(long *counter)
{
    if (IS_FIXED)
        delete counter;
    else
        delete[](long *) opaque(counter); /* BUG */
}

int main()
{
    long *counter = make_counter();

    std::printf("%ld\n", *counter);
    drop(counter);
    return 0;
}
