/* Names the object file that serves malloc in this process. A preload that the dynamic loader
 * cannot load is dropped with one line on stderr, and the program would then measure glibc. */
#ifndef SG_BENCH_WHICH_MALLOC_H
#define SG_BENCH_WHICH_MALLOC_H

#include <dlfcn.h>

static inline const char *which_object(const char *function)
{
    Dl_info info;
    void *found = dlsym(RTLD_DEFAULT, function);

    if (found == 0 || dladdr(found, &info) == 0 || info.dli_fname == 0)
        return "unknown";
    return info.dli_fname;
}

static inline const char *which_malloc(void)
{
    return which_object("malloc");
}

#endif
