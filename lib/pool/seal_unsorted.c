/* Where nobody sorts the sections; the shared library has seal_sorted.c besides, which wins. */
#include "seal.h"

__attribute__((weak)) bool sg_seal_is_sorted(void)
{
    return false;
}
