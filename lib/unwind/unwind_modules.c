#include "unwind_modules.h"

#include <link.h>

struct visitor {
    void (*visit)(const struct module *module, void *context);
    void *context;
};

/* By the address of its first segment. */
static int visit_one(struct dl_phdr_info *info, size_t bytes, void *context)
{
    const struct visitor *visitor = context;
    struct module module;
    unsigned i = 0;

    (void)bytes;
    while (i < info->dlpi_phnum && info->dlpi_phdr[i].p_type != PT_LOAD)
        i++;
    if (i < info->dlpi_phnum && sg_module_of(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr, &module))
        visitor->visit(&module, visitor->context);
    return 0;
}

void sg_module_each(void (*visit)(const struct module *module, void *context), void *context)
{
    struct visitor visitor = {visit, context};

    (void)dl_iterate_phdr(visit_one, &visitor);
}
