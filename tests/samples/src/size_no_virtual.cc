/* A derived object is deleted through a base without a virtual destructor. */
#include "sample.h"
#include <cstdio>

struct Base {
#ifdef FIXED
    virtual ~Base()
    {
    }
#endif
    int kind = 1;
};

struct Derived : Base {
    char text[200] = "derived";
};

static NOINLINE Base *make()
{
    return new Derived; /* ALLOC */
}

static NOINLINE void drop(Base *base)
{
    delete (Base *)opaque(base); /* BUG */
}

int main()
{
    Base *base = make();

    std::printf("%d\n", base->kind);
    drop(base);
    return 0;
}
