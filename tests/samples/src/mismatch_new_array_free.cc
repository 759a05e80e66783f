/* new[] released with free(). */
#include "sample.h"
#include <cstdio>
#include <cstdlib>

struct Blob {
    int words[6] = {1, 2, 3, 4, 5, 6};
};

static NOINLINE Blob *make(int count)
{
    return new Blob[count]; /* ALLOC */
}

static NOINLINE void drop(Blob *blobs)
{
    if (IS_FIXED)
        delete[] blobs;
    else
        std::free(opaque(blobs)); /* BUG */
}

int main()
{
    Blob *blobs = make(5);

    std::printf("%d\n", blobs[4].words[2]);
    drop(blobs);
    return 0;
}
