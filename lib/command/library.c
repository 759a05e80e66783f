#include "library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const sg_profiles[] = {"hardened", "fast", "strict", "debug", "guard", NULL};

bool sg_profile_is_known(const char *name)
{
    for (size_t i = 0; sg_profiles[i] != NULL; i++)
        if (strcmp(name, sg_profiles[i]) == 0)
            return true;
    return false;
}

bool sg_profile_is_debug(const char *name)
{
    return strcmp(name, "debug") == 0 || strcmp(name, "guard") == 0;
}

bool sg_own_folder(char folder[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);

    if (length <= 0)
        return false;
    folder[length] = '\0';
    *strrchr(folder, '/') = '\0';
    return true;
}

static bool is_there(struct library *library, const char *folder, const char *place)
{
    const char *name = library->is_debug ? "libspanguard-debug.so" : "libspanguard.so";
    char path[2 * PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s%s/%s", folder, place, name);
    return access(path, F_OK) == 0 && realpath(path, library->path) != NULL;
}

bool sg_library_find(bool is_debug, struct library *ret_library, struct verdict *ret_verdict)
{
    static const char *const places[] = {"", "/../" SG_LIBDIR, "/../lib", "/../lib64"};
    char folder[PATH_MAX];

    ret_library->is_debug = is_debug;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && sg_own_folder(folder); i++)
        if (is_there(ret_library, folder, places[i]))
            return true;
    if (is_there(ret_library, "", SG_PREFIX "/" SG_LIBDIR))
        return true;
    return sg_refuse(ret_verdict, STATUS_REFUSED,
                     "libspanguard%s.so is neither beside this command nor in its lib folder",
                     is_debug ? "-debug" : "");
}

bool sg_library_is_ours(const char *path)
{
    static const char *const names[] = {"libspanguard.so", "libspanguard-debug.so",
                                        "libspanguard-checked.so"};
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t length = strlen(names[i]);

        /* libspanguard.so, .so.1, or "libspanguard.so (deleted)" */
        if (strncmp(name, names[i], length) == 0 && strchr("-. ", name[length]) != NULL)
            return name[length] != '-';
    }
    return false;
}
