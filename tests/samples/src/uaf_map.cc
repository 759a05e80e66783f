/* An element is erased in a loop that goes on from it. */
#include "sample.h"
#include <cstdio>
#include <map>

static NOINLINE void expire(std::map<int, int> &timers)
{
    for (auto it = timers.begin(); it != timers.end();) {
        if (it->second > 1) {
            if (IS_FIXED) {
                it = timers.erase(it);
                continue;
            }
            timers.erase(it); /* FREE */
        }
        ++it; /* BUG */
    }
}

int main()
{
    std::map<int, int> timers;

    for (int i = 0; i < 8; i++)
        timers[i] = i % 3; /* ALLOC */
    expire(timers);
    std::printf("%d\n", timers.size() > 0);
    return 0;
}
