#include "compiler.h"
#include "spanguard/spanguard.h"

EXPORT const char *spanguard_version(void)
{
    return SG_VERSION;
}
