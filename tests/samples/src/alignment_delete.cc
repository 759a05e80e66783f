/* The aligned operator delete for a block of the plain operator new. */
#include "sample.h"
#include <cstdio>
#include <new>

static NOINLINE void *take()
{
    return opaque(::operator new(208)); /* ALLOC */
}

static NOINLINE void give_back(void *block)
{
    if (IS_FIXED)
        ::operator delete(block);
    else
        ::operator delete(opaque(block), std::align_val_t(64)); /* BUG */
}

int main()
{
    void *block = take();

    std::printf("%d\n", block != nullptr);
    give_back(block);
    return 0;
}
