/* A reference to an element is kept while the vector grows. */
#include "sample.h"
#include <cstdio>
#include <vector>

static NOINLINE void grow(std::vector<long> &totals)
{
    for (long i = 0; i < 100; i++)
        totals.push_back(i); /* FREE */
}

static NOINLINE void settle(long *total)
{
    *total = 5; /* BUG */
}

int main()
{
    std::vector<long> totals(8); /* ALLOC */
    long *first = (long *)opaque(totals.data());

    grow(totals);
    settle(PICK(totals.data(), (long *)opaque(first)));
    std::printf("%zu\n", totals.size());
    return 0;
}
