/* A pointer to a value outlives the value. */
#include "sample.h"
#include <cstdio>
#include <map>
#include <string>

static NOINLINE long *lookup(std::map<int, long> &users, int id)
{
    return &users[id]; /* ALLOC */
}

static NOINLINE void logout(std::map<int, long> &users, int id)
{
    users.erase(id); /* FREE */
}

static NOINLINE void touch(long *seen)
{
    *seen = 1234; /* BUG */
}

int main()
{
    std::map<int, long> users;
    long *seen = lookup(users, 5);

    if (IS_FIXED)
        touch(seen);
    logout(users, 5);
    if (!IS_FIXED)
        touch((long *)opaque(seen));
    std::printf("%zu\n", users.size());
    return 0;
}
