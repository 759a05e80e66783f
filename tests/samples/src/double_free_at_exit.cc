/* A static object frees at exit what main() freed. */
#include "sample.h"
#include <cstdio>
#include <cstdlib>

struct Registry {
    char *table = nullptr;
    NOINLINE ~Registry()
    {
        std::free(opaque(table)); /* BUG */
    }
};

static Registry registry;

static NOINLINE void shut_down()
{
    std::free(opaque(registry.table)); /* FREE */
    if (IS_FIXED)
        registry.table = nullptr;
}

int main()
{
    registry.table = (char *)opaque(std::malloc(256)); /* ALLOC */
    shut_down();
    std::printf("done\n");
    return 0;
}
