#include "invariant.h"

void (*sg_panic_hook)(const char *where, const char *text);

void sg_panic(const char *where, const char *text)
{
    if (sg_panic_hook != NULL)
        sg_panic_hook(where, text);
    __builtin_trap();
}
