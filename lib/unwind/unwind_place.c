/* From an address to a module's name, by glibc's _dl_find_object: no lock, no allocation. */
#include "format.h"
#include "os_process.h"
#include "unwind.h"
#include "unwind_module.h"

static const char *base_name(const char *path)
{
    const char *name = path;

    for (; *path != '\0'; path++)
        if (*path == '/')
            name = path + 1;
    return name;
}

/* A name goes to terminals and logs, and is one word in the line of a report. */
static void put_name(char *module, const char *name)
{
    struct text text = sg_text_begin(module, MODULE_NAME_BYTES);

    for (; *name != '\0'; name++) {
        bool is_plain = *name > ' ' && *name <= '~' && *name != '<' && *name != ')';

        sg_text_bytes(&text, is_plain ? name : "?", 1);
    }
}

static void name_program(char *module)
{
    char path[OS_PROGRAM_PATH_BYTES];

    put_name(module, sg_os_executable_path(path) ? base_name(path) : "program");
}

/* The library of checked copies calls us in the program's name. */
static bool is_companion(const char *module)
{
    static const char name[] = "libspanguard-copy.so";

    return __builtin_strncmp(module, name, sizeof(name) - 1) == 0;
}

bool sg_unwind_place(uintptr_t pc, struct place *ret_place)
{
    struct module module, own;

    if (!sg_module_of(pc, &module))
        return false;
    ret_place->offset = pc - module.start;
    ret_place->is_own = sg_module_of((uintptr_t)&sg_unwind_place, &own) &&
                        own.start == module.start;
    ret_place->is_main = module.name[0] == '\0';
    if (ret_place->is_main)
        name_program(ret_place->module);
    else
        put_name(ret_place->module, base_name(module.name));
    ret_place->is_own |= is_companion(ret_place->module);
    return true;
}
