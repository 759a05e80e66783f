#include "owner.h"

char *owner_make(size_t bytes)
{
    return new char[bytes];
}

void owner_end(char *text)
{
    delete[] text;
}
