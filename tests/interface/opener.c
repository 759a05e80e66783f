/* A library with a RUNPATH of its own that opens plugins for plugins.c. */
#include <dlfcn.h>
#include <stddef.h>

void *opener_open(const char *name, int flags);

void *opener_open(const char *name, int flags)
{
    void *volatile handle = dlopen(name, flags); /* no tail call: the caller must be this file */

    return handle;
}
