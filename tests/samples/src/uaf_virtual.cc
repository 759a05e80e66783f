/* A virtual function of a deleted object is called. */
#include "sample.h"
#include <cstdio>

struct Shape {
    virtual ~Shape()
    {
    }
    virtual int corners() const = 0;
};

struct Square : Shape {
    int side = 3;
    int corners() const override
    {
        return side + 1;
    }
};

static NOINLINE Shape *make()
{
    return new Square; /* ALLOC */
}

static NOINLINE void drop(Shape *shape)
{
    delete shape; /* FREE */
    forget();
}

static NOINLINE int draw(const Shape *shape)
{
    return shape->corners(); /* BUG */
}

int main()
{
    Shape *shape = make();
    int corners = PICK(draw(shape), 0);

    drop(shape);
    if (!IS_FIXED)
        corners = draw((Shape *)opaque(shape));
    std::printf("%d\n", corners > 0);
    return 0;
}
