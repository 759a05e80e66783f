/* A pool of objects gives their memory back by the count, not by the bytes. */
#include "sample.h"
#include <cstdio>
#include <new>

static NOINLINE int *take(size_t count)
{
    return (int *)opaque(::operator new(count * sizeof(int))); /* ALLOC */
}

static NOINLINE void give_back(int *numbers, size_t count)
{
    ::operator delete(opaque(numbers), count *PICK(sizeof(int), 1)); /* BUG */
}

int main()
{
    int *numbers = take(50);

    numbers[49] = 1;
    std::printf("%d\n", numbers[49]);
    give_back(numbers, 50);
    return 0;
}
