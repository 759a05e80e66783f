/* A class owns memory and has the compiler's copy constructor. */
#include "sample.h"
#include <cstdio>
#include <cstring>

class Name
{
  public:
    NOINLINE explicit Name(const char *s) : text(new char[strlen(s) + 1]) /* ALLOC */
    {
        strcpy(text, s);
    }
#ifdef FIXED
    Name(const Name &other) : Name(other.text)
    {
    }
#endif
    NOINLINE ~Name()
    {
        delete[](char *) opaque(text); /* BUG FREE */
    }
    char *text;
};

static NOINLINE size_t length_of(Name name)
{
    return strlen(name.text);
}

int main()
{
    Name name("bartholomew the elder");

    std::printf("%zu\n", length_of(name));
    return 0;
}
