/* Two shared pointers keep each other alive. */
#include "sample.h"
#include <cstdio>
#include <memory>

struct Node {
    std::shared_ptr<Node> next;
    long payload[20] = {};
};

static NOINLINE std::shared_ptr<Node> make_node()
{
    return std::make_shared<Node>(); /* ALLOC */
}

static NOINLINE void build()
{
    std::shared_ptr<Node> first = make_node();
    std::shared_ptr<Node> second = make_node();

    first->next = second;
    if (!IS_FIXED)
        second->next = first;
}

int main()
{
    build();
    forget();
    std::printf("done\n");
    return 0;
}
