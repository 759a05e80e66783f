/* operator[] of a vector checks nothing. */
#include "sample.h"
#include <cstdio>
#include <vector>

static NOINLINE void fill(std::vector<int> &scores)
{
    int *first = (int *)opaque(scores.data());

    for (size_t i = 0; i < scores.size() + PICK(0, 1); i++)
        first[i] = (int)i; /* BUG */
}

int main()
{
    std::vector<int> scores(32); /* ALLOC */

    fill(scores);
    std::printf("%d\n", scores[3]);
    return 0;
}
