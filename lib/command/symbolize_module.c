/* Which file stands for a loaded module: the one at its path if that has the same build-id, else
 * the debug file that the system keeps for that id. */
#include "symbolize.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo, /* by build-id, by .gnu_debuglink */
    .section_address = dwfl_offline_section_address,
};

/* A path is only a name that a program had: it may be a device or a pipe by now. */
static int open_regular(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;

    if (descriptor >= 0 && (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

static Dwfl_Module *report(const char *path)
{
    int descriptor = open_regular(path);
    Dwfl *dwfl;
    Dwfl_Module *module = NULL;

    if (descriptor < 0)
        return NULL;
    dwfl = dwfl_begin(&callbacks);
    if (dwfl != NULL) {
        dwfl_report_begin(dwfl);
        module = dwfl_report_offline(dwfl, path, path, descriptor);
        dwfl_report_end(dwfl, NULL, NULL);
    }
    if (module == NULL) {
        close(descriptor);
        dwfl_end(dwfl);
    }
    return module;
}

static bool has_build_id(Dwfl_Module *module, const char *expected)
{
    const unsigned char *bits;
    GElf_Addr address;
    int bytes = dwfl_module_build_id(module, &bits, &address);
    char digits[3];

    if (expected[0] == '\0')
        return true;
    if (bytes <= 0 || strlen(expected) != 2 * (size_t)bytes)
        return false;
    for (int i = 0; i < bytes; i++) {
        snprintf(digits, sizeof(digits), "%02x", bits[i]);
        if (strncmp(expected + 2 * (size_t)i, digits, 2) != 0)
            return false;
    }
    return true;
}

static Dwfl_Module *report_if_same(const char *path, const char *build_id)
{
    Dwfl_Module *module = report(path);
    GElf_Addr bias;

    if (module == NULL)
        return NULL;
    if (dwfl_module_getelf(module, &bias) != NULL && has_build_id(module, build_id))
        return module;
    return NULL; /* what it holds is kept: the process ends soon */
}

static Dwfl_Module *report_debug_file(const char *build_id)
{
    char path[128];

    if (strlen(build_id) < 4 || strlen(build_id) > 64)
        return NULL;
    snprintf(path, sizeof(path), "/usr/lib/debug/.build-id/%.2s/%s.debug", build_id, build_id + 2);
    return report_if_same(path, build_id);
}

/* The loader maps whole OS pages, so offset 0 is where the first of them begins. */
static bool find_base(struct symbolize_module *module)
{
    GElf_Addr bias, page_mask = (GElf_Addr)sysconf(_SC_PAGESIZE) - 1;
    Elf *elf = dwfl_module_getelf(module->module, &bias);
    GElf_Phdr header;
    size_t count;

    if (elf == NULL || elf_getphdrnum(elf, &count) != 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (gelf_getphdr(elf, (int)i, &header) != NULL && header.p_type == PT_LOAD) {
            module->base = bias + (header.p_vaddr & ~page_mask); /* they are in ascending order */
            return true;
        }
    return false;
}

void symbolize_open(struct symbolize_module *module)
{
    if (module->is_opened)
        return;
    module->is_opened = true;
    module->module = report_if_same(module->path, module->build_id);
    if (module->module == NULL)
        module->module = report_debug_file(module->build_id);
    if (module->module != NULL && !find_base(module))
        module->module = NULL;
}
