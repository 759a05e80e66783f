/* Names of functions and data, demangled. The demangler is the C++ library's, which a program with
 * such names has: it is loaded when the first one is met. */
#include "symbolize.h"

#include <dlfcn.h>
#include <dwarf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#define MANGLED_BYTES_MAX 4096 /* longer ones would only be cut off */

typedef char *demangle_function(const char *name, char *buffer, size_t *length, int *status);

static demangle_function *find_demangler(void)
{
    static const char *const libraries[] = {"libstdc++.so.6", "libc++abi.so.1"};
    static demangle_function *demangle;
    static bool is_tried;

    for (size_t i = 0; !is_tried && demangle == NULL && i < 2; i++) {
        void *library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);

        if (library != NULL)
            *(void **)&demangle = dlsym(library, "__cxa_demangle");
    }
    is_tried = true;
    return demangle;
}

static char *demangled(const char *name)
{
    demangle_function *demangle;
    int status;

    if (strncmp(name, "_Z", 2) != 0 || strlen(name) > MANGLED_BYTES_MAX)
        return NULL;
    demangle = find_demangler();
    return demangle == NULL ? NULL : demangle(name, NULL, NULL, &status);
}

/* Without what the compiler and the linker put behind it: ".part.0", "@@GLIBC_2.2.5". */
static char *readable(const char *name)
{
    size_t length = strcspn(name, ".@");
    char *plain = strndup(name, length > 0 ? length : strlen(name));
    char *result = plain == NULL ? NULL : demangled(plain);

    if (result == NULL)
        return plain;
    free(plain);
    return result;
}

/* gcc says the mangled name of a static function in its symbol only. */
static char *name_with_arguments(struct symbolize_module *module, Dwarf_Addr address,
                                 const char *name)
{
    char *symbol = symbolize_name_of_code(module, address);

    if (symbol != NULL && strchr(symbol, '(') != NULL && strstr(symbol, name) != NULL)
        return symbol;
    free(symbol);
    return NULL;
}

char *symbolize_name_of_die(struct symbolize_module *module, Dwarf_Die *die, Dwarf_Addr address)
{
    Dwarf_Attribute attribute;
    const char *name = NULL;
    char *result = NULL;

    if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) != NULL ||
        dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute) != NULL)
        name = dwarf_formstring(&attribute);
    if (name != NULL)
        result = demangled(name);
    if (result == NULL) {
        name = dwarf_diename(die);
        if (name != NULL && dwarf_tag(die) == DW_TAG_subprogram)
            result = name_with_arguments(module, address, name);
        if (name != NULL && result == NULL)
            result = strdup(name);
    }
    return result;
}

/* Only a symbol that is known to reach as far as the address: a stripped file has few, and the one
 * in front is most likely of another function. */
static char *name_at(struct symbolize_module *module, Dwarf_Addr address, bool is_code)
{
    GElf_Off offset;
    GElf_Sym symbol;
    const char *name =
        dwfl_module_addrinfo(module->module, address, &offset, &symbol, NULL, NULL, NULL);
    int type;

    if (name == NULL || name[0] == '\0' || offset >= symbol.st_size)
        return NULL;
    type = GELF_ST_TYPE(symbol.st_info);
    if ((type == STT_FUNC || type == STT_GNU_IFUNC) != is_code && type != STT_NOTYPE)
        return NULL;
    return readable(name);
}

char *symbolize_name_of_code(struct symbolize_module *module, Dwarf_Addr address)
{
    return name_at(module, address, true);
}

char *symbolize_name_of_data(struct symbolize_module *module, Dwarf_Addr address)
{
    return name_at(module, address, false);
}
