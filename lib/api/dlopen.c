/* A plugin loaded with RTLD_DEEPBIND resolves malloc and free to glibc's, past the preload: it
 * would free our blocks with glibc's free. The flag is dropped, and said so once.
 *
 * glibc looks at the return address of dlopen to know on whose behalf it searches (RUNPATH,
 * namespace). So the call must be a jump: the real dlopen then sees the program's address. */
#include "compiler.h"
#include "report.h"
#include "system_pool.h"
#include "unwind.h"

#include <dlfcn.h>

/* Where blocks are libc's anyway, such a plugin may go to libc. */
static int without_deepbind(int mode)
{
    return system_pool_serves() ? mode : mode & ~RTLD_DEEPBIND;
}

typedef void *(*dlopen_function)(const char *file, int mode);

static dlopen_function _Atomic real_dlopen; /* relaxed: dlsym finds the same each time */
static _Atomic bool noticed;                /* relaxed: at worst the notice comes twice */

static NOINLINE dlopen_function prepare(const char *file, int mode)
{
    dlopen_function next = load_relaxed(&real_dlopen);

    if (next == NULL) {
        next = (dlopen_function)(uintptr_t)dlsym(RTLD_NEXT, "dlopen");
        store_relaxed(&real_dlopen, next);
    }
    if (without_deepbind(mode) != mode && !load_relaxed(&noticed)) {
        store_relaxed(&noticed, true);
        sg_report_notice("RTLD_DEEPBIND ignored for ", file == NULL ? "the program" : file,
                         ": the plugin would bypass this allocator");
    }
    return next;
}

EXPORT void *dlopen(const char *file, int mode)
{
    dlopen_function next = prepare(file, mode);

    return next(file, without_deepbind(mode)); /* tests/interface proves that this is a jump */
}

/* Another module may come to lie where this one was, with other tables. */
EXPORT int dlclose(void *handle)
{
    static int (*_Atomic real)(void *); /* relaxed: dlsym finds the same each time */
    int (*next)(void *) = load_relaxed(&real);

    if (next == NULL) {
        next = (int (*)(void *))(uintptr_t)dlsym(RTLD_NEXT, "dlclose");
        store_relaxed(&real, next);
    }
    int result = next(handle);
    sg_unwind_forget();
    return result;
}
