/* c_str() of a temporary. */
#include "sample.h"
#include <cstdio>
#include <cstring>
#include <string>

static NOINLINE std::string greeting(const char *name)
{
    return std::string("a very good morning to you, dear ") + name; /* ALLOC */
}

static NOINLINE size_t length_of(const char *text)
{
    size_t length = 0;

    while (text[length] && length < 20) /* BUG */
        length++;
    return length;
}

int main()
{
    std::string kept = greeting("bob");
    const char *text = kept.c_str();

    if (!IS_FIXED)
        text = (const char *)opaque(greeting("alice").c_str()); /* ALLOC FREE */
    std::printf("%d\n", length_of(text) > 0);
    return 0;
}
