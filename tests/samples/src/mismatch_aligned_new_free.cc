/* An over-aligned object, made by the aligned operator new, goes to free(). */
#include "sample.h"
#include <cstdio>
#include <cstdlib>

struct alignas(64) Lane {
    float values[16] = {1};
};

static NOINLINE Lane *make()
{
    return new Lane; /* ALLOC */
}

static NOINLINE void drop(Lane *lane)
{
    if (IS_FIXED)
        delete lane;
    else
        std::free(opaque(lane)); /* BUG */
}

int main()
{
    Lane *lane = make();

    std::printf("%.0f\n", (double)lane->values[0]);
    drop(lane);
    return 0;
}
